import logging
import sys
import threading
from pathlib import Path

import kafka
from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import BrokerResponseError

sys.path.append(str(Path(__file__).parent.parent))
from lines import BOOTSTRAP_SERVERS, record_out, serve  # noqa: E402

logging.basicConfig(stream=sys.stderr, level=logging.WARNING)

CONNECTION = {
    "client_id": "kafka-python",
    "bootstrap_servers": BOOTSTRAP_SERVERS.split(","),
    "reconnect_backoff_ms": 50,
    "reconnect_backoff_max_ms": 100,
    "retry_backoff_ms": 50,
}


def code_of(error):
    return error.errno if isinstance(error, BrokerResponseError) and error.errno > 0 else None


def record_of(record):
    return record_out(
        record.topic, record.partition, record.offset, record.key, record.value, record.headers, record.timestamp
    )


def polled(consumer):
    return [record_of(record) for records in consumer.poll(timeout_ms=50).values() for record in records]


class GroupConsumer(ConsumerRebalanceListener):
    def __init__(self, group, topics, member):
        self.member = member
        self.consumer = KafkaConsumer(
            **CONNECTION,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
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
                    max_in_flight_requests_per_connection=1,
                    linger_ms=1,
                    delivery_timeout_ms=25_000,
                    request_timeout_ms=5_000,
                )
            return self.producers[name]

    def produce(self, settings, records):
        producer = self.producer(settings)
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
        offsets = [future.get(timeout=30).offset for future in futures]
        return offsets

    def sender(self, settings, topic):
        producer = self.producer(settings)

        def send(partition, value, done):
            future = producer.send(topic, value=value, partition=partition)
            future.add_callback(lambda _: done(None))
            future.add_errback(done)

        return send, 20 if settings["idempotent"] else 1

    def read(self, topic, partitions, count):
        consumer = KafkaConsumer(**CONNECTION, group_id=None, auto_offset_reset="earliest")
        consumer.assign([TopicPartition(topic, each) for each in range(partitions)])
        records = []
        while len(records) < count:
            records += polled(consumer)
        consumer.close()
        return records

    def consumer(self, group, protocol, topics, member):
        return GroupConsumer(group, topics, member)

    def close(self):
        for producer in self.producers.values():
            producer.close()
        if self.admin is not None:
            self.admin.close()


serve({"client": "kafka-python", "version": kafka.__version__, "engine": "own"}, Client(), code_of)
