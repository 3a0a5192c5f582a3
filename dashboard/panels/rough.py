"""Shares as a sentence needs them: in whole per cent, and yet never none or all where it is neither."""

from dashboard.formatting import percent


def rough_percent(share: float) -> str:
    """Write a share from 0 to 1 in whole per cent: "21 %"; near both ends with as many digits as tell it apart."""
    rounded = round(share, 2)
    return percent(rounded if 0 < rounded < 1 else share)
