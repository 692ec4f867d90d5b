"""The tutorial's further models and exercises."""
