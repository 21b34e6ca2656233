"""A word in the languages that the library speaks."""

from typing import NamedTuple


class Words(NamedTuple):
    """One word, or one text, in Chinese and in English.

    Attributes
    ----------
    zh : str
        In Chinese.
    en : str
        In English.
    """

    zh: str
    en: str
