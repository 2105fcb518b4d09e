"""XTREME's copy of the targets on the Hub, and what its own download makes of them."""

from collections.abc import Mapping

from stilts.tasks._places import HUB_SPLITS, HubFiles

SINGLE_SET: Mapping[str, tuple[str, ...]] = {"test": ("validation",)}
"""Tasks with a single evaluation set have it under this split."""

LANGUAGE_NAMES: Mapping[str, str] = {
    "af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish",
    "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "kk": "Kazakh", "ko": "Korean", "mr": "Marathi", "nl": "Dutch", "pt": "Portuguese",
    "ru": "Russian", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Tagalog", "tr": "Turkish",
    "ur": "Urdu", "vi": "Vietnamese", "yo": "Yoruba", "zh": "Chinese",
}  # fmt: skip
"""Names by which Universal Dependencies and XTREME know the languages."""


def xtreme(
    config: str,
    *,
    sets: Mapping[str, tuple[str, ...]] = HUB_SPLITS,
    names: Mapping[str, str] | None = None,
) -> HubFiles:
    """A subset of google/xtreme. Its labels are all public, those of test sets too."""
    return HubFiles(repo="google/xtreme", revision="main", config=config, sets=sets, names=names or {})
