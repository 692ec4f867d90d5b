"""Pictures of networks whose bytes depend on the network alone."""
