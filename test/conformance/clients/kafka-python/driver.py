import logging
import sys
import threading
from pathlib import Path

import kafka
from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import BrokerResponseError
from kafka.sasl.oauth import AbstractTokenProvider
from kafka.structs import OffsetAndMetadata

sys.path.append(str(Path(__file__).parent.parent))
from lines import BOOTSTRAP_SERVERS, SECURITY, record_out, serve  # noqa: E402

logging.basicConfig(stream=sys.stderr, level=logging.WARNING)


class Token(AbstractTokenProvider):
    def token(self):
        return SECURITY["sasl"]["token"]


def security():
    files = SECURITY.get("files", {})
    said = {"ssl_cafile": files.get("ca"), "ssl_certfile": files.get("cert"), "ssl_keyfile": files.get("key")}
    if "java" in SECURITY:
        said["security_protocol"] = SECURITY["java"]["security.protocol"]
    sasl = SECURITY.get("sasl")
    if sasl is not None:
        said["sasl_mechanism"] = sasl["mechanism"]
        if sasl["mechanism"] == "OAUTHBEARER":
            said["sasl_oauth_token_provider"] = Token()
        else:
            said["sasl_plain_username"] = sasl["username"]
            said["sasl_plain_password"] = sasl["password"]
    return {name: value for name, value in said.items() if value is not None}


CONNECTION = {
    "client_id": "kafka-python",
    "bootstrap_servers": BOOTSTRAP_SERVERS.split(","),
    "reconnect_backoff_ms": 50,
    "reconnect_backoff_max_ms": 100,
    "retry_backoff_ms": 50,
    **security(),
}

DURABLE = {
    "max_in_flight_requests_per_connection": 1,
    "linger_ms": 1,
    "delivery_timeout_ms": 25_000,
    "request_timeout_ms": 5_000,
}


def code_of(error):
    return error.errno if isinstance(error, BrokerResponseError) and error.errno > 0 else None


def record_of(record):
    return record_out(
        record.topic, record.partition, record.offset, record.key, record.value, record.headers, record.timestamp
    )


def polled(consumer):
    return [record_of(record) for records in consumer.poll(timeout_ms=50).values() for record in records]


def isolated(isolation):
    return {} if isolation is None else {"isolation_level": isolation}


def send_all(producer, records):
    """Offsets, once all are acknowledged."""
    futures = [
        producer.send(
            each["topic"],
            value=each["value"],
            key=each["key"],
            headers=each["headers"],
            partition=each["partition"],
            timestamp_ms=each.get("timestamp"),
        )
        for each in records
    ]
    return [future.get(timeout=30).offset for future in futures]


class Transactional:
    def __init__(self, transactional_id):
        self.producer = KafkaProducer(**CONNECTION, **DURABLE, transactional_id=transactional_id)
        self.producer.init_transactions()

    def begin(self):
        self.producer.begin_transaction()

    def send(self, records):
        send_all(self.producer, records)

    def send_offsets(self, member):
        consumer = member.consumer
        positions = {each: OffsetAndMetadata(consumer.position(each), "", -1) for each in consumer.assignment()}
        self.producer.send_offsets_to_transaction(positions, member.group)

    def end(self, is_commit):
        if is_commit:
            self.producer.commit_transaction()
        else:
            self.producer.abort_transaction()

    def close(self):
        self.producer.close(timeout=2)


class GroupConsumer(ConsumerRebalanceListener):
    def __init__(self, group, topics, isolation, member):
        self.group = group
        self.member = member
        self.consumer = KafkaConsumer(
            **CONNECTION,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **isolated(isolation),
            session_timeout_ms=6000,
            heartbeat_interval_ms=200,
        )
        self.consumer.subscribe(topics, listener=self)

    def on_partitions_assigned(self, assigned):
        self.member.gained([tuple(each) for each in assigned])

    def on_partitions_revoked(self, revoked):
        self.member.lost([tuple(each) for each in revoked])

    def poll(self):
        return polled(self.consumer)

    def commit(self):
        self.consumer.commit()

    def close(self):
        self.consumer.close()


class Client:
    def __init__(self):
        self.opening = threading.Lock()
        self.admin = None
        self.producers = {}

    def opened_admin(self):
        with self.opening:
            self.admin = self.admin or KafkaAdminClient(**CONNECTION)
            return self.admin

    def create_topics(self, topics):
        wanted = [
            NewTopic(each["name"], each["partitions"], each["replicationFactor"], topic_configs=each["configs"])
            for each in topics
        ]
        self.opened_admin().create_topics(wanted)

    def list_topics(self):
        return list(self.opened_admin().list_topics())

    def delete_topics(self, names):
        self.opened_admin().delete_topics(names)

    def producer(self, settings):
        name = tuple(settings.values())
        with self.opening:
            if name not in self.producers:
                acks = settings["acks"]
                self.producers[name] = KafkaProducer(
                    **CONNECTION,
                    acks="all" if acks == "all" else int(acks),
                    compression_type=None if settings["compression"] == "none" else settings["compression"],
                    enable_idempotence=settings["idempotent"],
                    **DURABLE,
                )
            return self.producers[name]

    def produce(self, settings, records):
        return send_all(self.producer(settings), records)

    def sender(self, settings, topic):
        producer = self.producer(settings)

        def send(partition, value, done):
            future = producer.send(topic, value=value, partition=partition)
            future.add_callback(lambda _: done(None))
            future.add_errback(done)

        return send, 20 if settings["idempotent"] else 1

    def read(self, topic, partitions, count, isolation):
        consumer = KafkaConsumer(**CONNECTION, group_id=None, auto_offset_reset="earliest", **isolated(isolation))
        consumer.assign([TopicPartition(topic, each) for each in range(partitions)])
        records = []
        while len(records) < count:
            records += polled(consumer)
        consumer.close()
        return records

    def consumer(self, group, protocol, topics, isolation, member):
        return GroupConsumer(group, topics, isolation, member)

    def transactional(self, transactional_id):
        return Transactional(transactional_id)

    def close(self):
        for producer in self.producers.values():
            producer.close()
        if self.admin is not None:
            self.admin.close()


serve({"client": "kafka-python", "version": kafka.__version__, "engine": "own"}, Client(), code_of)
