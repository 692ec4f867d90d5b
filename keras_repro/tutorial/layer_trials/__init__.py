"""The layers of the tutorial: those that Keras 3 dropped, and a trial of each one."""
