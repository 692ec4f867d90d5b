"""From data and an untrained network to a trained one."""
