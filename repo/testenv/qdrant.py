"""A server that speaks Qdrant's published API over HTTP, as far as Open WebUI and pruned use
it. Each collection is a shard of the real engine, which answers every filter; collections,
aliases, keys and the words of refusals are this program's own, by the server's source."""

import hashlib, json, os, re, sys, threading, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import qdrant_edge as engine

# Of each key that the server knows: "m", it may do everything, "r", read, or the only collection that it may read.
port, data, keys = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
catalog = os.path.join(data, "catalog.json")


class Refusal(Exception):
    def __init__(self, status, text):
        self.status, self.text = status, text


class Collection:
    def __init__(self, name, size=None):
        self.path = os.path.join(data, hashlib.sha256(name.encode()).hexdigest()[:32])
        self.lock = threading.Lock()
        if size is None:
            self.shard = engine.EdgeShard.load(self.path)
            return
        vectors = engine.EdgeVectorParams(size=size, distance=engine.Distance.Cosine)
        self.shard = engine.EdgeShard.create(self.path, engine.EdgeConfig(vectors=vectors, max_search_threads=1))

    def drop(self):
        with self.lock:
            self.shard.close()
            for root, dirs, files in os.walk(self.path, topdown=False):
                for name in files:
                    os.remove(os.path.join(root, name))
                os.rmdir(root)


def identity(value):
    if isinstance(value, int) and 0 <= value < 2**64:
        return value
    try:
        return uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise Refusal(400, f"Format error in JSON body: value {value} is not a valid point ID, valid values are either an unsigned integer or a UUID")


def condition(one):
    if "has_id" in one:
        return engine.HasIdCondition({identity(i) for i in one["has_id"]})
    match = one["match"]
    return engine.FieldCondition(one["key"], match=engine.MatchAny(match["any"]) if "any" in match else engine.MatchValue(match["value"]))


def filter_of(body):
    given = body.get("filter")
    if given is None:
        return None
    if set(given) - {"must", "should", "must_not"}:
        raise Refusal(400, "Format error in JSON body: unknown field in filter")
    return engine.Filter(**{key: [condition(one) for one in value] for key, value in given.items()})


class Server:
    def __init__(self):
        self.lock, self.collections, self.aliases = threading.Lock(), {}, {}
        if os.path.exists(catalog):
            with open(catalog) as file:
                kept = json.load(file)
            self.aliases = kept["aliases"]
            self.collections = {name: Collection(name) for name in kept["collections"]}

    def keep(self):
        with open(catalog + ".new", "w") as file:
            json.dump({"collections": list(self.collections), "aliases": self.aliases}, file)
        os.rename(catalog + ".new", catalog)

    def find(self, name):
        with self.lock:
            one = self.collections.get(self.aliases.get(name, name))
        if one is None:
            raise Refusal(404, f"Not found: Collection `{name}` doesn't exist!")
        return one

    def create(self, name, body):
        if not 1 <= len(name) <= 255 or re.search(r'[<>:"/\\|?*\0\x1f]', name):
            raise Refusal(422, "Validation error in path parameters: [name: collection name cannot contain such a char]")
        with self.lock:
            if name in self.collections or name in self.aliases:
                raise Refusal(409, f"Wrong input: Collection `{name}` already exists!")
            self.collections[name] = Collection(name, body["vectors"]["size"])
            self.keep()
        return True

    def drop(self, name):
        with self.lock:
            one = self.collections.pop(name, None)
            self.aliases = {alias: to for alias, to in self.aliases.items() if to != name}
            self.keep()
        if one is not None:
            one.drop()
        return one is not None

    def alias(self, body):
        for action in body["actions"]:
            one = action["create_alias"]
            self.find(one["collection_name"])
            with self.lock:
                self.aliases[one["alias_name"]] = one["collection_name"]
                self.keep()
        return True


server = Server()


def update(one, operation):
    with one.lock:
        one.shard.update(operation)
    return {"operation_id": 0, "status": "completed"}


def upsert(one, body):
    points = [engine.Point(identity(p["id"]), p["vector"], p.get("payload")) for p in body["points"]]
    return update(one, engine.UpdateOperation.upsert_points(points))


def delete(one, body):
    if "points" in body:
        return update(one, engine.UpdateOperation.delete_points([identity(i) for i in body["points"]]))
    return update(one, engine.UpdateOperation.delete_points_by_filter(filter_of(body)))


def scroll(one, body):
    offset, payload = body.get("offset"), body.get("with_payload", True)
    request = engine.ScrollRequest(offset=None if offset is None else identity(offset), limit=body.get("limit", 10), filter=filter_of(body), with_payload=payload)
    with one.lock:
        records, after = one.shard.scroll(request)
    write = lambda i: i if isinstance(i, int) or i is None else str(i)
    return {"points": [{"id": write(r.id), "payload": r.payload, "vector": None} for r in records], "next_page_offset": write(after)}


def count(one, body):
    with one.lock:
        return {"count": one.shard.count(engine.CountRequest(exact=body.get("exact", True), filter=filter_of(body)))}


def index(one, body):
    schema = body["field_schema"]
    return update(one, engine.UpdateOperation.create_field_index(body["field_name"], engine.KeywordIndexParams(is_tenant=schema.get("is_tenant"))))


READS = {"scroll": scroll, "count": count}
WRITES = {"points": upsert, "delete": delete, "index": index}


def check(key, asked):
    """What a key may do: asked is the collection, or None for the list; the rest is refused by name."""
    if not keys:
        return None
    if key not in keys:
        raise Refusal(401, "Must provide an API key or an Authorization bearer token")
    may = keys[key]
    if may not in ("m", "r") and asked is not None and asked != may:
        raise Refusal(403, f"Forbidden: Access to collection {asked} is required")
    return may


def answer(method, path, query, key, body):
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if query.get("ordering", ["weak"])[0] not in ("weak", "medium", "strong"):
        raise Refusal(400, "Format error in query parameters")
    if (method, parts) == ("GET", ["collections"]):
        may = check(key, None)
        return {"collections": [{"name": name} for name in list(server.collections) if may in (None, "m", "r", name)]}
    if (method, parts) == ("GET", ["aliases"]):
        may = check(key, None)
        return {"aliases": [{"alias_name": a, "collection_name": c} for a, c in list(server.aliases.items()) if may in (None, "m", "r", c)]}
    if (method, parts) == ("POST", ["collections", "aliases"]):
        return server.alias(body)
    if parts[0] != "collections" or len(parts) < 2:
        raise Refusal(404, "")
    name, last = parts[1], parts[-1]
    may = check(key, name)
    if method == "GET":
        if last == "exists":
            return {"exists": server.aliases.get(name, name) in server.collections}
        server.find(name)
        return {"status": "green"}
    if method == "POST" and last in READS:
        return READS[last](server.find(name), body)
    if may not in (None, "m"):
        raise Refusal(403, "Forbidden: Global manage access is required" if len(parts) == 2 else "Forbidden: Write access is required")
    if len(parts) == 2:
        return server.create(name, body) if method == "PUT" else server.drop(name)
    return WRITES[last](server.find(name), body)


class Handler(BaseHTTPRequestHandler):
    protocol_version, wbufsize, disable_nagle_algorithm = "HTTP/1.1", -1, True

    def handle_one(self):
        url = urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, said = 200, {"result": answer(self.command, url.path, parse_qs(url.query), self.headers.get("api-key"), json.loads(text or b"{}")), "status": "ok", "time": 0}
        except Refusal as refusal:
            status, said = refusal.status, {"result": None, "status": {"error": refusal.text}, "time": 0}
        except Exception as failure:
            status, said = 500, {"result": None, "status": {"error": f"Service internal error: {failure!r}"}, "time": 0}
        said = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = do_DELETE = handle_one

    def log_message(self, *args):
        pass


class Listener(ThreadingHTTPServer):
    request_queue_size, daemon_threads = 256, True


Listener(("127.0.0.1", port), Handler).serve_forever()
