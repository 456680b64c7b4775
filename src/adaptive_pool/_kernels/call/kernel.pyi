from typing import final

@final
class Kernel: ...
