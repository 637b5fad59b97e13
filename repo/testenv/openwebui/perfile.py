"""Deletes files as the application does: each by itself, by its own calls.

Reads ids, one a line, and prints what it took from the first to the last, as JSON.
A collection is deleted whole, which is what Chroma needs; the application's own
handler calls delete() without a filter there, and so leaves it.
"""

import asyncio
import json
import sys
import time

from open_webui.models.files import Files
from open_webui.retrieval.vector.async_client import ASYNC_VECTOR_DB_CLIENT
from open_webui.storage.provider import Storage


async def delete(id: str) -> bool:
    file = await Files.get_file_by_id(id)
    if not file or not await Files.delete_file_by_id(id):
        return False
    await asyncio.to_thread(Storage.delete_file, file.path)
    await ASYNC_VECTOR_DB_CLIENT.delete_collection(f'file-{id}')
    return True


async def main() -> None:
    first, *ids = sys.stdin.read().split()
    deleted = await delete(first)  # connects
    began = time.monotonic()
    for id in ids:
        deleted += await delete(id)
    print(json.dumps({'deleted': deleted, 'seconds': time.monotonic() - began}))


asyncio.run(main())
