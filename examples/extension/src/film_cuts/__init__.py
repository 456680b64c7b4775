"""Where films are cut."""

from film_cuts.cuts import first_cut
from film_cuts.grey import grey_of

__all__ = ["first_cut", "grey_of"]
