"""A trained model packed up: made from Keras, checked, and answered from without TensorFlow."""
