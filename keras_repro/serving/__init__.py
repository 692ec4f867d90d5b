"""What answers with a trained model: bundles, the command line, the service and its page."""
