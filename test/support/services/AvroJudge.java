// Apache Avro's own judgement, for test/contract/avro-java.registry.test.ts: a line with [reader, writer, referenced schemas...] in,
// a line with what Java says out.
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;

public class AvroJudge {
  static final ObjectMapper json = new ObjectMapper();

  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode pair = json.readTree(line);
      ObjectNode answer = json.createObjectNode();
      Schema reader = parse(pair, 0, answer.putObject("reader"));
      Schema writer = parse(pair, 1, answer.putObject("writer"));
      if (reader != null && writer != null) compare(reader, writer, answer);
      out.println(json.writeValueAsString(answer));
    }
    out.flush();
  }

  static Schema parse(JsonNode pair, int which, ObjectNode answer) {
    try {
      Schema.Parser parser = new Schema.Parser(NameValidator.STRICT_VALIDATOR);
      for (int i = 2; i < pair.size(); i++) parser.parse(pair.get(i).textValue());
      Schema schema = parser.parse(pair.get(which).textValue());
      answer.put("form", SchemaNormalization.toParsingForm(schema));
      answer.put("crc64", Long.toHexString(SchemaNormalization.parsingFingerprint64(schema)));
      return schema;
    } catch (RuntimeException | StackOverflowError refused) {
      answer.put("refused", String.valueOf(refused.getMessage()));
      return null;
    }
  }

  static void compare(Schema reader, Schema writer, ObjectNode answer) {
    try {
      SchemaCompatibility.SchemaCompatibilityResult result =
          SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getResult();
      answer.put("verdict", result.getCompatibility().name());
      for (SchemaCompatibility.Incompatibility each : result.getIncompatibilities())
        answer.withArray("reasons").add(each.getType() + " " + each.getLocation() + " " + each.getMessage());
    } catch (RuntimeException thrown) {
      answer.put("verdict", "THROWN");
      answer.withArray("reasons").add(String.valueOf(thrown.getMessage()));
    }
  }
}
