from typing import final

ITEMS_AT_ONCE: int

@final
class Work: ...
