"""What answers with a trained model."""
