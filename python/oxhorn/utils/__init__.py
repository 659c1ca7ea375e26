"""Utilities."""

from oxhorn.utils.progbar import Progbar
