"""What files of vectors look like: made-up numbers, arrays, one case a line."""

import json
import math
import os
import shutil
import zlib

import numpy as np

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def made_up(*name):
    """A generator of numbers that depends on the name alone, so that a new case leaves the others as they were."""
    return np.random.default_rng(zlib.crc32("/".join(map(str, name)).encode()))


def normal(shape, *name):
    """Standard normal numbers rounded to three decimals: short in the file, and exactly what the file says."""
    return np.round(made_up(*name).standard_normal(shape), 3).astype("float32")


def uniform(shape, *name):
    """Numbers in (0, 1), rounded to three decimals."""
    return np.clip(np.round(made_up(*name).random(shape), 3), 0.001, 0.999).astype("float32")


def number(v):
    """A number as JSON can hold it: the shortest decimal that reads back as the same value of the same width."""
    if isinstance(v, (bool, np.bool_)):
        return int(v)
    if isinstance(v, (int, np.integer)):
        return int(v)
    if math.isnan(v):
        return "nan"
    if math.isinf(v):
        return "inf" if v > 0 else "-inf"
    if isinstance(v, np.float32):
        short = float(str(v))
        assert np.float32(short) == v
        return short
    return float(v)


def array(a):
    """A tensor: row-major, "bool" as 0 and 1."""
    a = np.asarray(a)
    return {"shape": list(a.shape), "dtype": str(a.dtype), "data": [number(v) for v in a.reshape(-1)]}


def arrays(values):
    return [array(v) for v in values]


def clear(folder):
    path = os.path.join(HERE, folder)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)


def write_under(head, folder, name, cases):
    """folder/name.json: what the head says and "cases", one case a line."""
    lines = ",\n".join("  " + json.dumps(c, separators=(",", ":"), allow_nan=False, ensure_ascii=False) for c in cases)
    text = ",\n".join(f'"{k}":{json.dumps(v, separators=(",", ":"), ensure_ascii=False)}' for k, v in head.items())
    path = os.path.join(HERE, folder, name + ".json")
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(f'{{{text},\n"cases":[\n{lines}\n]}}\n')
    with open(path, encoding="utf-8") as file:
        json.load(file)
