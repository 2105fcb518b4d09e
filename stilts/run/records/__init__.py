"""Observations on disk: Arrow shards, each written whole, once, and never changed.

`write_shard` writes one, `read` collects many into a table, `cell_id` names what was measured. The columns
stand in `stilts.run.records.schemas`. pyarrow is imported by the first call, not by the import of this
package.
"""

from stilts.run.records.identity import cell_id, latency_shard_name
from stilts.run.records.read import THREADS, read, record_folders, shards_of, stream
from stilts.run.records.schemas import SCHEMA_VERSION, SCHEMAS, Column, Schema
from stilts.run.records.write import write_shard

__all__ = [
    "SCHEMAS",
    "SCHEMA_VERSION",
    "THREADS",
    "Column",
    "Schema",
    "cell_id",
    "latency_shard_name",
    "read",
    "record_folders",
    "shards_of",
    "stream",
    "write_shard",
]
