"""What Keras calls the operations of functional models, by which files name them.

Each function of `ops` has a class in Keras: `ops.concatenate(xs, axis=-1)` is that `Concatenate`
of `axis=-1` is called on `xs`. So an argument is a setting, or it is what is called on.
"""

from __future__ import annotations

import inspect
from typing import Any

from oxhorn._naming import snake_case

MODULE = "keras.src.ops"

# Classes that are not called as their function, in camel case.
CLASSES = {
    "abs": "Absolute",
    "allclose": "AllClose",
    "batch_normalization": "BatchNorm",
    "cdist": "CDist",
    "conj": "Conjugate",
    "ctc_decode": "CTCDecode",
    "ctc_loss": "CTCLoss",
    "fft": "FFT",
    "fft2": "FFT2",
    "hard_swish": "HardSilu",
    "hsv_to_rgb": "HSVToRGB",
    "ifft2": "IFFT2",
    "irfft": "IRFFT",
    "isin": "IsIn",
    "istft": "ISTFT",
    "jvp": "JVP",
    "layer_normalization": "LayerNorm",
    "psnr": "PSNR",
    "rfft": "RFFT",
    "rgb_to_grayscale": "RGBToGrayscale",
    "rgb_to_hsv": "RGBToHSV",
    "rms_normalization": "RMSNorm",
    "searchsorted": "SearchSorted",
    "ssim": "SSIM",
    "stft": "STFT",
    "svd": "SVD",
    "swish": "Silu",
}
# Of two functions with one class, the one that stands for it.
FUNCTIONS = {name: function for function, name in CLASSES.items()} | {
    "Absolute": "absolute",
    "Conjugate": "conjugate",
    "HardSilu": "hard_silu",
    "Silu": "silu",
}

# Arguments that are settings, whatever function has them.
SETTINGS = frozenset(
    """N alpha approximate assume_unique attn_logits_soft_cap axes axis axis1 axis2 axisa axisb
    axisc beam_width block_size body body_fun center compute_uv cond data_format decimals
    default_value destination dilation dilation_rate dtype dx epsilon equal_nan fft_length
    flash_attention from_logits full_matrices has_aux increasing indexing indices_or_sections
    initial invert is_causal k keepdims kernel_size kth length lower mask_index max_val
    maximum_iterations merge_repeated method minlength mode nan neginf negative_slope newshape
    num num_classes num_segments ord order output_padding output_size padding pool_size posinf
    range rcond reduction repeats return_counts return_index return_inverse reverse
    sequence_length sequence_stride shape shift side size sorted source sparse stride strategy
    strides subscripts synchronized threshold tol top_paths unroll upper window x_max
    x_min""".split()
)
# Further ones, by function; elsewhere an argument of that name is a tensor.
FURTHER_SETTINGS = {
    "allclose": {"rtol", "atol"},
    "bincount": {"weights"},
    "diagonal": {"offset"},
    "histogram": {"bins"},
    "squareplus": {"b"},
    "trace": {"offset"},
    "trapezoid": {"x"},
    "unique": {"fill_value"},
}


def class_name(function: str) -> str:
    """Keras' class of a function."""
    camel = "".join(part.capitalize() for part in function.split("_"))
    return CLASSES.get(function, camel)


def function_name(name: str) -> str:
    """The function of one of Keras' classes."""
    return FUNCTIONS.get(name) or snake_case(name)


def signature(function: str) -> inspect.Signature:
    """The parameters of a function of `ops`."""
    from oxhorn import ops

    found = getattr(ops, function, None)
    if found is None:
        raise ValueError(f"There is no function `ops.{function}`.")
    return inspect.signature(found)


def is_setting(function: str, parameter: str) -> bool:
    """Whether an argument is a setting, as opposed to what the operation is called on."""
    return parameter in SETTINGS or parameter in FURTHER_SETTINGS.get(function, ())


def split(function: str, args: tuple, kwargs: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """The settings in the arguments of a function, and what it is called on, in order."""
    parameters = signature(function)
    bound = parameters.bind(*args, **kwargs)
    bound.apply_defaults()
    settings: dict[str, Any] = {}
    operands: list[Any] = []
    for name, value in bound.arguments.items():
        kind = parameters.parameters[name].kind
        if is_setting(function, name):
            settings[name] = value
        elif kind is inspect.Parameter.VAR_POSITIONAL:
            operands += value
        elif kind is not inspect.Parameter.VAR_KEYWORD:
            operands.append(value)
    return settings, operands


def join(
    function: str, settings: dict[str, Any], args: list[Any], kwargs: dict[str, Any]
) -> tuple[tuple, dict[str, Any]]:
    """The arguments of a function from settings and from what the operation was called on.

    They are given as the functions of `ops` pass them on: what has a default by name.
    """
    remaining, positional, named = list(args), [], {}
    for name, parameter in signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            positional += remaining
            remaining = []
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        else:
            given = {**settings, **kwargs}
            value = parameter.default
            if name in given:
                value = given[name]
            elif remaining and not is_setting(function, name):
                value = remaining.pop(0)
            if parameter.default is not inspect.Parameter.empty:
                named[name] = value
            elif value is inspect.Parameter.empty:
                raise ValueError(f"`ops.{function}` needs `{name}`, which the file does not give.")
            else:
                positional.append(value)
    if remaining:
        raise ValueError(f"`ops.{function}` does not take these further arguments: {remaining}")
    return tuple(positional), named
