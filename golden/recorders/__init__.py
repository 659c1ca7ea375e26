"""One module per kind of recording; each has a function record() that writes the files of its folder."""

import os

# Before the first import of Keras.
os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
# One thread in matrix products: the order of a sum, and so its last digit, must not depend on the machine's cores.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
