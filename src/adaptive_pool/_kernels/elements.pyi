ELEMENTS: dict[str, int]
