"""Items made before they are asked for, on a thread, in their order."""

from collections.abc import Generator, Iterator
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T], count: int) -> Generator[T, None, None]:
    """Yield the items; up to `count` of them wait ready-made, and with 0 each is made when it is asked for.

    What `items` raises is raised here. The thread has ended when this is closed.
    """
    if not count:
        yield from items
        return
    belt = _Belt(items, count)
    belt.start()
    try:
        while not isinstance(item := belt.ready.get(), _End):
            belt.room.release()
            yield item
        if item.error is not None:
            raise item.error
    finally:
        belt.unwanted.set()
        belt.room.release()
        belt.join()


class _End:
    """Comes after the last item."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Belt(Thread, Generic[T]):
    """Makes the items."""

    def __init__(self, items: Iterator[T], count: int) -> None:
        super().__init__(name="mmer-ahead", daemon=True)
        self._items = items
        self.ready: SimpleQueue[T | _End] = SimpleQueue()
        self.room = Semaphore(count - 1)
        self.unwanted = Event()

    def run(self) -> None:
        """Put items on the queue as long as there is room."""
        error = None
        try:
            for item in self._items:
                self.ready.put(item)
                self.room.acquire()
                if self.unwanted.is_set():
                    return
        except BaseException as raised:  # noqa: BLE001 - it belongs to whoever waits for the items
            error = raised
        self.ready.put(_End(error))
