from typing import final

@final
class Work: ...
