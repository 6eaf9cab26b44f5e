using System.Text;
using System.Text.Json;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Http.Json;
using Praetor.Server.Sessions;
using Shouldly;
using Xunit;

namespace Unit.Sessions;

/// <summary>Bodies of sessions and transactions, also broken ones: they are refused, and nothing is thrown.</summary>
public sealed class BodyTests
{
    private const string Id = "00000000-0000-0000-0000-000000000001";

    private static readonly string[] Seeds =
    [
        """{"Node":"n1","Name":"x","LockDelay":"15s","Checks":["serfHealth"],"Behavior":"delete","TTL":"30s"}""",
        """{"LockDelay":20,"NodeChecks":[],"ServiceChecks":[{"ID":"web","Namespace":""}]}""",
        """{"LockDelay":1.5e300,"TTL":"9223372036854775807h","Name":"\ud800"}""",
        """
        [{"KV":{"Verb":"lock","Key":"a","Value":"eA==","Flags":3,"Index":5,"Session":"x"}},
         {"Node":{"Verb":"cas","Node":{"Node":"n","ID":"y","Address":"z","ModifyIndex":4}}},
         {"Service":{"Verb":"set","Node":"n","Service":{"ID":"w","Service":"w","Tags":["a"],"Weights":{"Passing":1}}}},
         {"Check":{"Verb":"set","Check":{"Node":"n","CheckID":"c","Definition":{"Interval":"10s"}}}},
         {"Session":{"Verb":"delete","Session":{"ID":"s"}}}]
        """,
    ];

    [Theory]
    [InlineData("20", 20_000_000_000)]
    [InlineData("1.5", 1_000_000_000)]
    [InlineData("999", 999_000_000_000)]
    [InlineData("1000", 1000)]
    [InlineData("15000000000", 15_000_000_000)]
    [InlineData("\"500ns\"", 500_000_000_000)]
    [InlineData("\"2m\"", 120_000_000_000)]
    [InlineData("0", 0)]
    [InlineData("-5", 0)]
    [InlineData("1e300", long.MaxValue)]
    [InlineData("null", 15_000_000_000)]
    public void A_small_lock_delay_means_seconds(string delay, long nanoseconds) =>
        Read($$"""{"LockDelay":{{delay}}}""")!.LockDelay.ShouldBe(nanoseconds);

    [Fact]
    public void Any_body_is_read_or_refused()
    {
        var random = new Random(4711);
        for (var i = 0; i < 30_000; i++)
        {
            var body = Mutated(Encoding.UTF8.GetBytes(Seeds[random.Next(Seeds.Length)]), random);
            var text = JsonText.Mend(body);
            if (SessionJson.Read(text, "n1", Id, out var problem) is { } session)
            {
                _ = SessionRules.Problem(session, SessionRules.TtlMin);
            }
            else
            {
                problem.ShouldNotBeEmpty();
            }

            ReadOperations(text);
        }
    }

    private static Praetor.Server.Model.SessionRecord? Read(string body) =>
        SessionJson.Read(Encoding.UTF8.GetBytes(body), "n1", Id, out _);

    private static void ReadOperations(byte[] text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind == JsonValueKind.Array)
            {
                foreach (var element in document.RootElement.EnumerateArray()
                    .Where(static e => e.ValueKind == JsonValueKind.Object))
                {
                    _ = TxnBodies.Operation(BodyObject.Of(element), "dc1");
                }
            }
        }
        catch (JsonException)
        {
            // No JSON is the endpoint's own matter.
        }
    }

    private static byte[] Mutated(byte[] body, Random random)
    {
        for (var changes = random.Next(1, 6); changes > 0; changes--)
        {
            var at = random.Next(body.Length);
            switch (random.Next(4))
            {
                case 0:
                    body[at] = (byte)random.Next(256);
                    break;
                case 1:
                    body[at] = (byte)"{}[]\",:0"[random.Next(8)];
                    break;
                case 2:
                    body = [.. body.AsSpan(0, at), .. body.AsSpan(Math.Min(body.Length, at + random.Next(1, 8)))];
                    body = body.Length == 0 ? [0] : body;
                    break;
                default:
                    body = [.. body.AsSpan(0, at), .. body.AsSpan(at / 2)];
                    break;
            }
        }

        return body;
    }
}
