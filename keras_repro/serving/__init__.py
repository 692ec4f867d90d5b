"""What answers with a bundle: the command line, the service and its page."""
