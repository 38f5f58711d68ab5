"""How flat a network makes pages whose true grid is known."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sealread.stages.unwarping import Unwarper, is_bent, regular
from sealread.training.synth.bent_pages import BentPage
from sealread.training.synth.paper import inverse


def unwarper_measures(unwarper: Unwarper, pages: Iterable[BentPage]) -> dict[str, float]:
    """How flat pages become.

    Returns:
        ``before``, ``after``: mean distance of nodes from where they belong, in per cent of the diagonal, over bent pages;
        ``crooked_before``, ``crooked_after``: how far rows and columns bulge, in per cent of their length, over bent pages;
        ``flat_kept``, ``bent_flattened``: share of flat pages left alone, and of bent ones that are not;
        ``score``: 1 less the share of the bulges that is left.
    """
    flat: list[bool] = []
    bent: list[tuple[float, float, float, float, bool]] = []
    for page in pages:
        height, width = page.image.shape[:2]
        size = np.array([width, height], dtype=np.float64)
        given = unwarper.places(page.image)
        flattened = is_bent(given)
        if not page.bent:
            flat.append(flattened)
            continue
        wanted = page.look.sampling(*given.shape[:2]) * size
        nothing = (regular(*given.shape[:2]) + 1) / 2 * size
        given = given if flattened else nothing
        distances = (float(np.hypot(*(places - wanted).reshape(-1, 2).T).mean() / np.hypot(*size)) for places in (nothing, given))
        bent.append((*distances, crookedness(wanted, nothing), crookedness(wanted, given), flattened))  # type: ignore[arg-type]
    before, after, crooked_before, crooked_after, share = np.mean(bent, axis=0).tolist()
    return {
        "before": before * 100,
        "after": after * 100,
        "crooked_before": crooked_before * 100,
        "crooked_after": crooked_after * 100,
        "bent_flattened": share,
        "flat_kept": 1 - float(np.mean(flat)),
        "score": 1 - crooked_after / crooked_before,
    }


def crookedness(wanted: NDArray[np.float64], given: NDArray[np.float64]) -> float:
    """How far rows and columns of the true grid bulge after flattening by a given one, as a share of their length.

    Args:
        wanted, given: ``(n, n, 2)`` pixels of the photo.
    """
    # Where the true nodes come to lie on the flat page: the given grid, backwards, at the photo's size.
    size = np.ptp(given.reshape(-1, 2), axis=0)
    places = inverse(given, wanted.reshape(-1, 2)).reshape(wanted.shape) * size
    bulges = []
    for lines in (places, places.transpose(1, 0, 2)):
        chord = lines[:, -1] - lines[:, 0]
        off = lines - lines[:, :1]
        side = off[..., 0] * chord[:, None, 1] - off[..., 1] * chord[:, None, 0]
        bulges.append(np.abs(side).max(axis=1) / (chord**2).sum(axis=1))
    return float(np.mean(bulges))
