import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Values to each partition until it is stopped. */
class Load {
    private static final int PACE_MS = 5;

    private final String name;
    private final Producer<byte[], byte[]> producer;
    private final String topic;
    private final int underWay;
    private final List<Thread> lines = new ArrayList<>();
    private final List<String> acknowledged = Collections.synchronizedList(new ArrayList<>());
    private final List<String> failed = Collections.synchronizedList(new ArrayList<>());
    private volatile boolean isRunning = true;

    Load(String name, Producer<byte[], byte[]> producer, String topic, int partitions, boolean idempotent) {
        this.name = name;
        this.producer = producer;
        this.topic = topic;
        underWay = idempotent ? 20 : 1;
        for (int partition = 0; partition < partitions; partition++) {
            int line = partition;
            lines.add(new Thread(() -> run(line), name + "-" + line));
        }
        lines.forEach(Thread::start);
    }

    private void run(int partition) {
        Semaphore room = new Semaphore(underWay);
        try {
            for (int i = 0; isRunning; i++) {
                room.acquire();
                send(partition, partition + ":" + i, room);
                Thread.sleep(PACE_MS);
            }
            room.acquire(underWay);
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    private void send(int partition, String value, Semaphore room) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        producer.send(new ProducerRecord<>(topic, partition, null, bytes), (metadata, error) -> {
            if (error == null) {
                acknowledged.add(value);
                Driver.tell(Map.of("event", "acknowledged", "load", name, "values", List.of(value)));
            } else {
                System.err.println(value + " failed: " + error);
                failed.add(value);
            }
            room.release();
        });
    }

    Map<String, ?> stop() throws InterruptedException {
        isRunning = false;
        for (Thread line : lines) line.join();
        return Map.of("acknowledged", acknowledged, "failed", failed);
    }
}
