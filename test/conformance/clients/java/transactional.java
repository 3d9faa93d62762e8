import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;

/** A producer with a transactional id. */
class Transactional {
    /** A driver ends within five seconds, whatever is open. */
    private static final Duration END = Duration.ofSeconds(2);

    private final Producer<byte[], byte[]> producer;

    Transactional(Producer<byte[], byte[]> producer) {
        this.producer = producer;
        producer.initTransactions();
    }

    void begin() {
        producer.beginTransaction();
    }

    void send(JsonNode records) throws Exception {
        Clients.produce(producer, records);
    }

    void sendOffsets(Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {
        producer.sendOffsetsToTransaction(offsets, group);
    }

    void end(boolean isCommit) {
        if (isCommit) producer.commitTransaction();
        else producer.abortTransaction();
    }

    void close() {
        producer.close(END);
    }
}
