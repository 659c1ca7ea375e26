"""`tensorflow.keras` as `oxhorn run` has it."""

from oxhorn import *  # noqa: F403
from oxhorn import (
    activations as activations,
)
from oxhorn import (
    backend as backend,
)
from oxhorn import (
    callbacks as callbacks,
)
from oxhorn import (
    config as config,
)
from oxhorn import (
    constraints as constraints,
)
from oxhorn import (
    datasets as datasets,
)
from oxhorn import (
    initializers as initializers,
)
from oxhorn import (
    layers as layers,
)
from oxhorn import (
    losses as losses,
)
from oxhorn import (
    metrics as metrics,
)
from oxhorn import (
    models as models,
)
from oxhorn import (
    ops as ops,
)
from oxhorn import (
    optimizers as optimizers,
)
from oxhorn import (
    random as random,
)
from oxhorn import (
    regularizers as regularizers,
)
from oxhorn import (
    saving as saving,
)
from oxhorn import (
    tree as tree,
)
from oxhorn import (
    utils as utils,
)
