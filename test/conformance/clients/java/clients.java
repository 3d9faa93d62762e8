import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

record Settings(String acks, String compression, boolean idempotent) {
    static Settings of(JsonNode request) {
        JsonNode producer = request.get("producer");
        return new Settings(
                producer.get("acks").asText(),
                producer.get("compression").asText(),
                producer.get("idempotent").asBoolean());
    }
}

/** The producers, consumers and the admin client, and what is asked of them once. */
class Clients {
    private static final Duration ROUND = Duration.ofMillis(50);

    private final String bootstrapServers;
    private final Admin admin;
    private final Map<Settings, Producer<byte[], byte[]>> producers = new ConcurrentHashMap<>();

    Clients(String bootstrapServers) {
        this.bootstrapServers = bootstrapServers;
        admin = Admin.create(configs());
    }

    /** How to say who one is, if anybody asks. */
    private static Map<String, Object> security() {
        String text = System.getenv("CLIENT_SECURITY");
        Map<String, Object> said = new HashMap<>();
        if (text == null) return said;
        try {
            for (Map.Entry<String, JsonNode> each : new ObjectMapper().readTree(text).path("java").properties()) {
                said.put(each.getKey(), each.getValue().asText());
            }
        } catch (JsonProcessingException error) {
            throw new IllegalArgumentException(error);
        }
        return said;
    }

    private Map<String, Object> configs() {
        Map<String, Object> configs = new HashMap<>();
        configs.put("client.id", "kafka-clients");
        configs.put("bootstrap.servers", bootstrapServers);
        configs.put("reconnect.backoff.ms", 50);
        configs.put("reconnect.backoff.max.ms", 100);
        configs.put("retry.backoff.ms", 50);
        configs.put("retry.backoff.max.ms", 100);
        configs.putAll(security());
        return configs;
    }

    void createTopics(JsonNode topics) throws Exception {
        List<NewTopic> wanted = new ArrayList<>();
        for (JsonNode topic : topics) {
            Map<String, String> topicConfigs = new HashMap<>();
            for (Map.Entry<String, JsonNode> each : topic.get("configs").properties()) {
                topicConfigs.put(each.getKey(), each.getValue().asText());
            }
            short replicationFactor = (short) topic.get("replicationFactor").asInt();
            NewTopic made = new NewTopic(topic.get("name").asText(), topic.get("partitions").asInt(), replicationFactor);
            wanted.add(made.configs(topicConfigs));
        }
        admin.createTopics(wanted).all().get();
    }

    Collection<String> listTopics() throws Exception {
        return admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
    }

    void deleteTopics(List<String> names) throws Exception {
        admin.deleteTopics(names).all().get();
    }

    Producer<byte[], byte[]> producer(Settings settings) {
        return producers.computeIfAbsent(settings, wanted -> {
            Map<String, Object> configs = configs();
            configs.put("acks", wanted.acks());
            configs.put("compression.type", wanted.compression());
            configs.put("enable.idempotence", wanted.idempotent());
            configs.put("max.in.flight.requests.per.connection", wanted.idempotent() ? 5 : 1);
            configs.put("request.timeout.ms", 5_000);
            configs.put("delivery.timeout.ms", 25_000);
            configs.put("linger.ms", 1);
            return new KafkaProducer<>(configs, new ByteArraySerializer(), new ByteArraySerializer());
        });
    }

    Producer<byte[], byte[]> transactional(String transactionalId) {
        Map<String, Object> configs = configs();
        configs.put("transactional.id", transactionalId);
        configs.put("request.timeout.ms", 5_000);
        configs.put("delivery.timeout.ms", 25_000);
        configs.put("linger.ms", 1);
        return new KafkaProducer<>(configs, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static ProducerRecord<byte[], byte[]> toSend(JsonNode record) throws IOException {
        JsonNode timestamp = record.get("timestamp");
        ProducerRecord<byte[], byte[]> sent = new ProducerRecord<>(
                record.get("topic").asText(),
                record.get("partition").asInt(),
                timestamp == null ? null : timestamp.asLong(),
                record.get("key").binaryValue(),
                record.get("value").binaryValue());
        for (JsonNode header : record.path("headers")) {
            sent.headers().add(header.get(0).asText(), header.get(1).binaryValue());
        }
        return sent;
    }

    List<Long> produce(Settings settings, JsonNode records) throws Exception {
        return produce(producer(settings), records);
    }

    static List<Long> produce(Producer<byte[], byte[]> producer, JsonNode records) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (JsonNode record : records) sent.add(producer.send(toSend(record)));
        List<Long> offsets = new ArrayList<>();
        for (Future<RecordMetadata> each : sent) {
            RecordMetadata metadata = each.get();
            offsets.add(metadata.hasOffset() ? metadata.offset() : null);
        }
        return offsets;
    }

    private static List<List<Object>> pairs(Headers headers) {
        List<List<Object>> pairs = new ArrayList<>();
        for (Header header : headers) {
            List<Object> pair = new ArrayList<>();
            pair.add(header.key());
            pair.add(header.value());
            pairs.add(pair);
        }
        return pairs;
    }

    private static Map<String, Object> received(ConsumerRecord<byte[], byte[]> record) {
        Map<String, Object> told = new HashMap<>();
        told.put("topic", record.topic());
        told.put("partition", record.partition());
        told.put("offset", record.offset());
        told.put("key", record.key());
        told.put("value", record.value());
        told.put("headers", pairs(record.headers()));
        told.put("timestamp", record.timestamp());
        return told;
    }

    /** What comes within a short time. */
    static List<Map<String, Object>> poll(Consumer<byte[], byte[]> consumer) {
        List<Map<String, Object>> records = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(ROUND)) records.add(received(record));
        return records;
    }

    private Consumer<byte[], byte[]> consumer(Map<String, Object> configs) {
        configs.put("enable.auto.commit", false);
        configs.put("auto.offset.reset", "earliest");
        return new KafkaConsumer<>(configs, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** The default is read_uncommitted. */
    private Map<String, Object> reading(JsonNode isolation) {
        Map<String, Object> configs = configs();
        if (isolation != null) configs.put("isolation.level", isolation.asText());
        return configs;
    }

    List<Map<String, Object>> read(String topic, int partitions, int count, JsonNode isolation) {
        try (Consumer<byte[], byte[]> consumer = consumer(reading(isolation))) {
            consumer.assign(IntStream.range(0, partitions).mapToObj(each -> new TopicPartition(topic, each)).toList());
            List<Map<String, Object>> records = new ArrayList<>();
            while (records.size() < count) records.addAll(poll(consumer));
            return records;
        }
    }

    Consumer<byte[], byte[]> member(String group, String protocol, JsonNode isolation) {
        Map<String, Object> configs = reading(isolation);
        configs.put("group.id", group);
        configs.put("group.protocol", protocol);
        if (protocol.equals("classic")) {
            configs.put("session.timeout.ms", 6_000);
            configs.put("heartbeat.interval.ms", 200);
        }
        return consumer(configs);
    }

    void close() {
        for (Producer<byte[], byte[]> producer : producers.values()) producer.close();
        admin.close();
    }
}
