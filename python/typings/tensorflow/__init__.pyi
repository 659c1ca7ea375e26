"""TensorFlow's name as `oxhorn run` has it, for type checkers: its Keras is Oxhorn."""

from tensorflow import keras as keras

__version__: str
