import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** A member of a group, in a thread of its own, which does all that is asked of it. */
class Member implements ConsumerRebalanceListener {
    private final String name;
    private final Consumer<byte[], byte[]> consumer;
    private final Queue<Runnable> asked = new ConcurrentLinkedQueue<>();
    private final Set<TopicPartition> has =
            new TreeSet<>(Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition));
    private boolean isOpen = true;

    Member(String name, Consumer<byte[], byte[]> consumer, List<String> topics) {
        this.name = name;
        this.consumer = consumer;
        consumer.subscribe(topics, this);
        new Thread(this::run, name).start();
    }

    private void run() {
        try {
            while (isOpen) {
                List<Map<String, Object>> records = Clients.poll(consumer);
                if (!records.isEmpty()) Driver.tell(Map.of("event", "records", "member", name, "records", records));
                for (Runnable next = asked.poll(); next != null; next = asked.poll()) next.run();
            }
        } catch (RuntimeException error) {
            error.printStackTrace();
            Driver.tell(Map.of("event", "failed", "member", name, "message", String.valueOf(error.getMessage())));
        }
    }

    private void perform(Runnable action) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        asked.add(() -> {
            try {
                action.run();
                done.complete(null);
            } catch (RuntimeException error) {
                done.completeExceptionally(error);
            }
        });
        done.join();
    }

    void commit() {
        perform(consumer::commitSync);
    }

    /** Where it stands, and as whom. */
    void sendOffsets(Transactional producer) {
        perform(() -> {
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            for (TopicPartition each : has) offsets.put(each, new OffsetAndMetadata(consumer.position(each)));
            producer.sendOffsets(offsets, consumer.groupMetadata());
        });
    }

    void leave() {
        perform(() -> {
            isOpen = false;
            consumer.close();
        });
    }

    private void tellAssigned() {
        List<List<Object>> pairs = has.stream().map(each -> List.<Object>of(each.topic(), each.partition())).toList();
        Driver.tell(Map.of("event", "assigned", "member", name, "partitions", pairs));
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        has.addAll(partitions);
        tellAssigned();
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        has.removeAll(partitions);
        tellAssigned();
    }
}
