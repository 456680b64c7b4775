from collections.abc import Callable
from typing import Any

capsule: Any
describe_problem: Callable[..., Any] | None

def prepare(function: Callable[..., Any]) -> None: ...
