import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.AppInfoParser;

/** What Apache Kafka's own clients do of ../protocol.md; this class has the conversation. */
class Driver {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Clients clients;
    private final Map<String, Load> loads = new ConcurrentHashMap<>();
    private final Map<String, Member> members = new ConcurrentHashMap<>();
    private final Map<String, Transactional> transactionals = new ConcurrentHashMap<>();

    private Driver(String bootstrapServers) {
        clients = new Clients(bootstrapServers);
    }

    static synchronized void tell(Map<String, ?> line) {
        try {
            System.out.println(JSON.writeValueAsString(line));
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private static List<String> names(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).map(JsonNode::asText).toList();
    }

    private Map<String, ?> perform(JsonNode request) throws Exception {
        String load = request.path("load").asText();
        String member = request.path("member").asText();
        String topic = request.path("topic").asText();
        int partitions = request.path("partitions").asInt();
        switch (request.get("op").asText()) {
            case "createTopics" -> clients.createTopics(request.get("topics"));
            case "listTopics" -> {
                return Map.of("topics", clients.listTopics());
            }
            case "deleteTopics" -> clients.deleteTopics(names(request.get("topics")));
            case "produce" -> {
                return Map.of("offsets", clients.produce(Settings.of(request), request.get("records")));
            }
            case "read" -> {
                return Map.of("records", clients.read(topic, partitions, request.get("count").asInt(), request.get("isolation")));
            }
            case "start" -> {
                Settings settings = Settings.of(request);
                loads.put(load, new Load(load, clients.producer(settings), topic, partitions, settings.idempotent()));
            }
            case "stop" -> {
                return loads.remove(load).stop();
            }
            case "join" -> {
                String group = request.get("group").asText();
                String protocol = request.get("protocol").asText();
                Consumer<byte[], byte[]> consumer = clients.member(group, protocol, request.get("isolation"));
                members.put(member, new Member(member, consumer, names(request.get("topics"))));
            }
            case "commit" -> members.get(member).commit();
            case "leave" -> members.remove(member).leave();
            case "init", "begin", "send", "sendOffsets", "end" -> transact(request);
            default -> throw new IllegalArgumentException("no operation '" + request.get("op").asText() + "'");
        }
        return Map.of();
    }

    private void transact(JsonNode request) throws Exception {
        String id = request.get("transactionalId").asText();
        Transactional producer = transactionals.get(id);
        switch (request.get("op").asText()) {
            case "begin" -> producer.begin();
            case "send" -> producer.send(request.get("records"));
            case "sendOffsets" -> members.get(request.get("member").asText()).sendOffsets(producer);
            case "end" -> producer.end(request.get("outcome").asText().equals("commit"));
            default -> {
                if (producer != null) producer.close();
                transactionals.put(id, new Transactional(clients.transactional(id)));
            }
        }
    }

    private static Throwable reason(Throwable error) {
        boolean isWrapped = error instanceof ExecutionException || error instanceof CompletionException;
        return isWrapped && error.getCause() != null ? reason(error.getCause()) : error;
    }

    private void answer(JsonNode request) {
        long id = request.get("id").asLong();
        try {
            tell(Map.of("id", id, "result", perform(request)));
        } catch (Throwable thrown) {
            thrown.printStackTrace();
            Throwable error = reason(thrown);
            int code = error instanceof ApiException ? Errors.forException(error).code() : -1;
            Map<String, Object> told = new HashMap<>();
            told.put("code", code > 0 ? code : null);
            told.put("message", String.valueOf(error.getMessage()));
            tell(Map.of("id", id, "error", told));
        }
    }

    private void end() throws Exception {
        for (Load load : loads.values()) load.stop();
        for (Member member : members.values()) member.leave();
        for (Transactional producer : transactionals.values()) producer.close();
        clients.close();
    }

    public static void main(String[] args) throws Exception {
        Driver driver = new Driver(args[args.length - 1]);
        tell(Map.of("client", "kafka-clients", "version", AppInfoParser.getVersion(), "engine", "own"));
        ExecutorService answering = Executors.newCachedThreadPool();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode request = JSON.readTree(line);
            answering.execute(() -> driver.answer(request));
        }
        driver.end();
        System.exit(0);
    }
}
