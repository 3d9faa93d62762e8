"""What all drivers written in Python have in common: protocol.md beside this file, but for the client's own calls."""

import base64
import json
import os
import queue
import sys
import threading
import time
import traceback

BOOTSTRAP_SERVERS = sys.argv[-1]

# How to say who one is, if anybody asks: protocol.md says what is in there.
SECURITY = json.loads(os.environ.get("CLIENT_SECURITY", "{}"))

# Between two values that a steady load sends to one partition.
PACE_SECONDS = 0.005

telling = threading.Lock()


def tell(line):
    text = json.dumps(line)
    with telling:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def note(text):
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def to_base64(value):
    return None if value is None else base64.b64encode(value).decode()


def from_base64(text):
    return None if text is None else base64.b64decode(text)


def record_out(topic, partition, offset, key, value, headers, timestamp):
    """A record as a client gave it, for the harness."""
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "key": to_base64(key),
        "value": to_base64(value),
        "headers": [[name, to_base64(each)] for name, each in headers or []],
        "timestamp": timestamp,
    }


def record_in(record):
    """A record to produce: bytes where the harness has base64."""
    return {
        **record,
        "key": from_base64(record["key"]),
        "value": from_base64(record["value"]),
        "headers": [(name, from_base64(text)) for name, text in record.get("headers", [])],
    }


class Load:
    """`<partition>:<n>` to each partition, again and again, at most `in_flight` of each at a time."""

    def __init__(self, name, partitions, send, in_flight):
        self.name = name
        self.send = send
        self.in_flight = in_flight
        self.stopping = threading.Event()
        self.acknowledged = []
        self.failed = []
        self.threads = [threading.Thread(target=self.line, args=(each,)) for each in range(partitions)]
        for thread in self.threads:
            thread.start()

    def line(self, partition):
        room = threading.Semaphore(self.in_flight)
        i = 0
        while not self.stopping.is_set():
            room.acquire()
            self.send_one(partition, f"{partition}:{i}", room)
            i += 1
            time.sleep(PACE_SECONDS)
        for _ in range(self.in_flight):
            room.acquire()

    def send_one(self, partition, value, room):
        def done(error):
            if error is None:
                self.acknowledged.append(value)
                tell({"event": "acknowledged", "load": self.name, "values": [value]})
            else:
                note(f"{value} failed: {error}")
                self.failed.append(value)
            room.release()

        self.send(partition, value.encode(), done)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        return {"acknowledged": self.acknowledged, "failed": self.failed}


class Member:
    """A consumer in a thread of its own, which does all that is asked of it."""

    def __init__(self, name, open_consumer):
        self.name = name
        self.asked = queue.Queue()
        self.has = set()
        self.is_open = True
        self.opened = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(open_consumer,))
        self.thread.start()
        self.opened.wait()

    def run(self, open_consumer):
        self.consumer = open_consumer(self)
        self.opened.set()
        while self.is_open:
            records = self.consumer.poll()
            if records:
                tell({"event": "records", "member": self.name, "records": records})
            while not self.asked.empty():
                self.asked.get()()

    def perform(self, action):
        """Runs it in the consumer's thread."""
        answers = queue.Queue()

        def run():
            try:
                action()
                answers.put(None)
            except Exception as error:  # noqa: BLE001, it is raised where it was asked for
                answers.put(error)

        self.asked.put(run)
        error = answers.get()
        if error is not None:
            raise error

    def gained(self, partitions):
        self.has |= set(partitions)
        self.tell_assigned()

    def lost(self, partitions):
        self.has -= set(partitions)
        self.tell_assigned()

    def tell_assigned(self):
        tell({"event": "assigned", "member": self.name, "partitions": sorted(self.has)})

    def commit(self):
        self.perform(self.consumer.commit)

    def leave(self):
        def close():
            self.is_open = False
            self.consumer.close()

        self.perform(close)
        self.thread.join()


def wanted_of(request, *names):
    return tuple(request.get(name) for name in names)


class Driver:
    """
    `client` has these methods; what they raise is the answer's error, its number what `code_of` finds in it:

    - `create_topics(topics)`, `list_topics()`, `delete_topics(names)`
    - `produce(producer, records)`, records as `record_in` makes them: offsets
    - `read(topic, partitions, count, isolation)`: records as `record_out` makes them
    - `sender(producer, topic)`: `send(partition, value, done)`, which calls `done(error or None)`, and how many may be in flight
    - `consumer(group, protocol, topics, isolation, member)`: `poll()` for records of `record_out`, within 50 ms, `commit()`, `close()`;
      tells `member` what was `gained` and `lost`
    - `transactional(transactional_id)`: initialized, with `begin()`, `send(records)`, `send_offsets(consumer)`, `end(is_commit)`, `close()`
    - `close()`: all producers and admin clients
    """

    def __init__(self, client, code_of):
        self.client = client
        self.code_of = code_of
        self.loads = {}
        self.members = {}
        self.transactionals = {}

    def perform(self, op, request):
        client = self.client
        if op == "createTopics":
            client.create_topics(request["topics"])
        elif op == "listTopics":
            return {"topics": client.list_topics()}
        elif op == "deleteTopics":
            client.delete_topics(request["topics"])
        elif op == "produce":
            return {"offsets": client.produce(request["producer"], [record_in(each) for each in request["records"]])}
        elif op == "read":
            return {"records": client.read(*wanted_of(request, "topic", "partitions", "count", "isolation"))}
        elif op == "start":
            send, in_flight = client.sender(request["producer"], request["topic"])
            self.loads[request["load"]] = Load(request["load"], request["partitions"], send, in_flight)
        elif op == "stop":
            return self.loads.pop(request["load"]).stop()
        elif op == "join":
            wanted = wanted_of(request, "group", "protocol", "topics", "isolation")
            self.members[request["member"]] = Member(
                request["member"], lambda member: client.consumer(*wanted, member)
            )
        elif op == "commit":
            self.members[request["member"]].commit()
        elif op == "leave":
            self.members.pop(request["member"]).leave()
        elif op == "init":
            self.close_transactional(request["transactionalId"])
            self.transactionals[request["transactionalId"]] = client.transactional(request["transactionalId"])
        elif "transactionalId" in request:
            self.transact(self.transactionals[request["transactionalId"]], op, request)
        else:
            raise ValueError(f"no operation '{op}'")
        return {}

    def transact(self, producer, op, request):
        if op == "begin":
            producer.begin()
        elif op == "send":
            producer.send([record_in(each) for each in request["records"]])
        elif op == "sendOffsets":
            member = self.members[request["member"]]
            member.perform(lambda: producer.send_offsets(member.consumer))
        elif op == "end":
            producer.end(request["outcome"] == "commit")
        else:
            raise ValueError(f"no operation '{op}'")

    def close_transactional(self, transactional_id):
        producer = self.transactionals.pop(transactional_id, None)
        try:
            if producer is not None:
                producer.close()
        except Exception:  # noqa: BLE001, what is fenced, or in mid-transaction, may be closed anyhow
            note(traceback.format_exc())

    def answer(self, request):
        try:
            tell({"id": request["id"], "result": self.perform(request["op"], request)})
        except Exception as error:  # noqa: BLE001, all of them are answers
            note(f"{request['op']}: {traceback.format_exc()}")
            tell({"id": request["id"], "error": {"code": self.code_of(error), "message": str(error)}})

    def end(self):
        for load in list(self.loads.values()):
            load.stop()
        for member in list(self.members.values()):
            member.leave()
        for transactional_id in list(self.transactionals):
            self.close_transactional(transactional_id)
        self.client.close()


def serve(hello, client, code_of):
    driver = Driver(client, code_of)
    tell(hello)
    for line in sys.stdin:
        threading.Thread(target=driver.answer, args=(json.loads(line),)).start()
    driver.end()
