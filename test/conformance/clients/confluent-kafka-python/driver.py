import sys
import threading
import uuid
from pathlib import Path

import confluent_kafka
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

sys.path.append(str(Path(__file__).parent.parent))
from lines import BOOTSTRAP_SERVERS, SECURITY, note, record_out, serve  # noqa: E402

CONNECTION = {
    "client.id": "confluent-kafka-python",
    "bootstrap.servers": BOOTSTRAP_SERVERS,
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 100,
    "retry.backoff.ms": 50,
    "retry.backoff.max.ms": 100,
    "topic.metadata.refresh.fast.interval.ms": 50,
    **SECURITY.get("librdkafka", {}),
    "error_cb": lambda error: note(f"error: {error}"),
}


def code_of(error):
    code = error.args[0].code() if isinstance(error, KafkaException) else -1
    return code if code > 0 else None


def record_of(record):
    return record_out(
        record.topic(),
        record.partition(),
        record.offset(),
        record.key(),
        record.value(),
        record.headers(),
        record.timestamp()[1],
    )


class Polled:
    """A producer, and the thread that hears of its deliveries."""

    def __init__(self, **configs):
        self.producer = Producer({**CONNECTION, **configs, "message.timeout.ms": 25_000, "linger.ms": 1})
        self.is_open = True
        self.thread = threading.Thread(target=self.poll)
        self.thread.start()

    def poll(self):
        while self.is_open:
            self.producer.poll(0.05)

    def send(self, records):
        """Offsets, once all are acknowledged."""
        offsets = [None] * len(records)
        failures = []
        left = threading.Semaphore(0)

        def told(index):
            def on_delivery(error, record):
                if error is not None:
                    failures.append(KafkaException(error))
                elif record.offset() is not None and record.offset() >= 0:
                    offsets[index] = record.offset()
                left.release()

            return on_delivery

        for index, record in enumerate(records):
            self.producer.produce(
                record["topic"],
                value=record["value"],
                key=record["key"],
                partition=record["partition"],
                headers=record["headers"],
                on_delivery=told(index),
                **({"timestamp": record["timestamp"]} if "timestamp" in record else {}),
            )
        for _ in records:
            left.acquire()
        if failures:
            raise failures[0]
        return offsets

    def stop(self):
        self.is_open = False
        self.thread.join()

    def close(self):
        self.stop()
        self.producer.flush()


def isolated(isolation):
    return {} if isolation is None else {"isolation.level": isolation}


class Transactional:
    PATIENCE_SECONDS = 20

    def __init__(self, transactional_id):
        self.polled = Polled(**{"transactional.id": transactional_id})
        self.producer = self.polled.producer
        self.producer.init_transactions(self.PATIENCE_SECONDS)

    def begin(self):
        self.producer.begin_transaction()

    def send(self, records):
        self.polled.send(records)

    def send_offsets(self, member):
        consumer = member.consumer
        positions = [each for each in consumer.position(consumer.assignment()) if each.offset >= 0]
        group = consumer.consumer_group_metadata()
        self.producer.send_offsets_to_transaction(positions, group, self.PATIENCE_SECONDS)

    def end(self, is_commit):
        if is_commit:
            self.producer.commit_transaction(self.PATIENCE_SECONDS)
        else:
            self.producer.abort_transaction(self.PATIENCE_SECONDS)

    def close(self):
        self.polled.stop()


class GroupConsumer:
    def __init__(self, group, protocol, topics, isolation, member):
        # In the consumer protocol the brokers say these: group.consumer.heartbeat.interval.ms, group.consumer.session.timeout.ms.
        classic = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 200} if protocol == "classic" else {}
        self.consumer = Consumer(
            {
                **CONNECTION,
                "group.id": group,
                "group.protocol": protocol,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                **isolated(isolation),
                **classic,
            }
        )

        def pairs(partitions):
            return [(each.topic, each.partition) for each in partitions]

        def gained(_, partitions):
            member.gained(pairs(partitions))

        def lost(_, partitions):
            member.lost(pairs(partitions))

        self.consumer.subscribe(topics, on_assign=gained, on_revoke=lost, on_lost=lost)

    def poll(self):
        records = []
        for record in self.consumer.consume(100, 0.05):
            if record.error():
                note(f"consumer: {record.error()}")
            else:
                records.append(record_of(record))
        return records

    def commit(self):
        try:
            self.consumer.commit(asynchronous=False)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._NO_OFFSET:
                raise

    def close(self):
        self.consumer.close()


class Client:
    def __init__(self):
        self.admin = AdminClient(CONNECTION)
        self.opening = threading.Lock()
        self.producers = {}

    def create_topics(self, topics):
        wanted = [
            NewTopic(each["name"], each["partitions"], each["replicationFactor"], config=each["configs"])
            for each in topics
        ]
        for future in self.admin.create_topics(wanted).values():
            future.result()

    def list_topics(self):
        return list(self.admin.list_topics(timeout=10).topics)

    def delete_topics(self, names):
        for future in self.admin.delete_topics(names).values():
            future.result()

    def producer(self, settings):
        name = tuple(settings.values())
        with self.opening:
            if name not in self.producers:
                configs = {
                    "acks": settings["acks"],
                    "compression.type": settings["compression"],
                    "enable.idempotence": settings["idempotent"],
                }
                self.producers[name] = Polled(**configs)
            return self.producers[name]

    def produce(self, settings, records):
        return self.producer(settings).send(records)

    def sender(self, settings, topic):
        polled = self.producer(settings)

        def send(partition, value, done):
            polled.producer.produce(
                topic, value=value, partition=partition, on_delivery=lambda error, _: done(error)
            )

        return send, 20 if settings["idempotent"] else 1

    def read(self, topic, partitions, count, isolation):
        configs = {**CONNECTION, "group.id": f"reader-{uuid.uuid4()}", "enable.auto.commit": False}
        consumer = Consumer({**configs, **isolated(isolation)})
        consumer.assign([TopicPartition(topic, each, OFFSET_BEGINNING) for each in range(partitions)])
        records = []
        while len(records) < count:
            for record in consumer.consume(count - len(records), 0.05):
                if record.error():
                    raise KafkaException(record.error())
                records.append(record_of(record))
        consumer.close()
        return records

    def consumer(self, group, protocol, topics, isolation, member):
        return GroupConsumer(group, protocol, topics, isolation, member)

    def transactional(self, transactional_id):
        return Transactional(transactional_id)

    def close(self):
        for polled in self.producers.values():
            polled.close()


serve(
    {
        "client": "confluent-kafka",
        "version": confluent_kafka.__version__,
        "engine": f"librdkafka {confluent_kafka.libversion()[0]}",
    },
    Client(),
    code_of,
)
