// Reads the seals of one file through the service: java -cp 'JACKSON_JARS/*' Client.java FILE [URL].
// Needs Java 17 or newer and Jackson (jackson-databind, jackson-core, jackson-annotations).

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;

public class Client {
    private static final ObjectMapper JSON = new ObjectMapper();

    static JsonNode read(String path, String url) throws IOException, InterruptedException {
        // Bytes become Base64 in JSON. No pictures are wanted.
        Map<String, Object> body = Map.of(
                "file", Files.readAllBytes(Path.of(path)),
                "fileType", path.toLowerCase(Locale.ROOT).endsWith(".pdf") ? 0 : 1,
                "visualize", false);
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/seal-recognition"))
                .header("Content-Type", "application/json")
                .timeout(Duration.ofSeconds(120))
                .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)))
                .build();
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        if (answer.statusCode() != 200) {
            throw new IOException("HTTP " + answer.statusCode() + ": " + answer.body());
        }
        return JSON.readTree(answer.body()).path("result");
    }

    public static void main(String[] args) throws InterruptedException {
        if (args.length != 1 && args.length != 2) {
            System.err.println("usage: java -cp 'JACKSON_JARS/*' Client.java FILE [URL]");
            System.exit(1);
        }
        String url = args.length == 2 ? args[1] : "http://localhost:8080";
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try {
            int page = 0;
            for (JsonNode item : read(args[0], url).path("sealRecResults")) {
                page++;
                for (JsonNode seal : item.path("prunedResult").path("seals")) {
                    for (JsonNode line : seal.path("lines")) {
                        out.printf(Locale.ROOT, "page %d, seal %d, %.2f: %s%n", page, seal.path("region_id").asInt(),
                                line.path("score").asDouble(), line.path("text").asText());
                    }
                }
            }
        } catch (ConnectException error) {
            System.err.println(url + " cannot be reached");
            System.exit(1);
        } catch (IOException error) {
            System.err.println(error.getMessage());
            System.exit(1);
        }
    }
}
