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
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.AppInfoParser;

/** What Apache Kafka's own clients do of ../protocol.md; this class has the conversation. */
class Driver {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Clients clients;
    private final Map<String, Load> loads = new ConcurrentHashMap<>();
    private final Map<String, Member> members = new ConcurrentHashMap<>();

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
                return Map.of("records", clients.read(topic, partitions, request.get("count").asInt()));
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
                members.put(member, new Member(member, clients.member(group, protocol), names(request.get("topics"))));
            }
            case "commit" -> members.get(member).commit();
            case "leave" -> members.remove(member).leave();
            default -> throw new IllegalArgumentException("no operation '" + request.get("op").asText() + "'");
        }
        return Map.of();
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
