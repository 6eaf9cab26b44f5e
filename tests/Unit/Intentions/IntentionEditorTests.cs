using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Praetor.Server.ConfigEntries;
using Praetor.Server.Intentions;
using Praetor.Server.State;
using Shouldly;
using Xunit;

namespace Unit.Intentions;

public sealed class IntentionEditorTests
{
    private const string Id = "701476ac-6942-2f07-d04d-8c86960c9989";
    private const string OtherId = "cfec1384-78e2-d58d-70bc-8efb362f2109";
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 55, 38, TimeSpan.Zero);

    private readonly Dictionary<string, ConfigEntry> _entries = new(StringComparer.OrdinalIgnoreCase);

    [Fact]
    public void An_intention_is_made_with_its_id_and_shown_as_today()
    {
        Create("""{"SourceName":"web","DestinationName":"db","Action":"deny","Meta":{"a":"b"}}""", Id).ShouldBeNull();
        const string Shown =
            """
            {"ID":"701476ac-6942-2f07-d04d-8c86960c9989","SourceNS":"default","SourceName":"web",
             "DestinationNS":"default","DestinationName":"db","SourceType":"consul","Action":"deny","Meta":{"a":"b"},
             "Precedence":9,"CreatedAt":"2026-11-21T12:55:38Z","UpdatedAt":"2026-11-21T12:55:38Z",
             "CreateIndex":3,"ModifyIndex":4}
            """;
        Json(Book().All.Single()).ShouldBe(JsonNode.Parse(Shown)!.ToJsonString());
    }

    [Fact]
    public void A_second_one_for_the_same_pair_is_refused_in_consuls_words()
    {
        Create("""{"SourceName":"web","DestinationName":"db","Action":"deny"}""", Id);
        Create("""{"SourceName":"web","DestinationName":"db","Action":"deny"}""", OtherId)!.Text.ShouldBe(
            $"duplicate intention found: DENY default/web => default/db (ID: {Id}, Precedence: 9)");
    }

    [Theory]
    [InlineData("{}",
        "3 errors occurred:\n\t* SourceName must be set\n\t* DestinationName must be set\n\t" +
            "* Action must be set to 'allow' or 'deny'\n\n")]
    [InlineData(
        """
        {"SourceName":"a"}
        """,
        "2 errors occurred:\n\t* DestinationName must be set\n\t* Action must be set to 'allow' or 'deny'\n\n")]
    [InlineData(
        """
        {"SourceName":"a","DestinationName":"b","Action":"foo"}
        """, "1 error occurred:\n\t* Action must be set to 'allow' or 'deny'\n\n")]
    [InlineData(
        """
        {"SourceName":"a*","DestinationName":"b","Action":"allow"}
        """,
        "1 error occurred:\n\t* SourceName: wildcard character '*' cannot be used with partial values\n\n")]
    [InlineData(
        """
        {"SourceName":"a","DestinationName":"*b","Action":"allow"}
        """,
        "1 error occurred:\n\t* DestinationName: wildcard character '*' cannot be used with partial values\n\n")]
    [InlineData(
        """
        {"SourceName":"a","DestinationName":"b","Action":"allow","SourceType":"foo"}
        """, "1 error occurred:\n\t* SourceType must be set to 'consul'\n\n")]
    [InlineData(
        """
        {"SourceName":"a","DestinationName":"b","Action":"allow","SourceNS":"*"}
        """, "1 error occurred:\n\t* SourceName: exact value cannot follow wildcard namespace\n\n")]
    [InlineData(
        """
        {"SourceName":"a","DestinationName":"b","Action":"allow","ID":"foo"}
        """, "ID must be empty when creating a new intention")]
    [InlineData(
        """
        {"SourceName":"a","DestinationName":"b","Action":"allow","Foo":"foo"}
        """, "json: unknown field \"Foo\"")]
    [InlineData(
        """
        {"SourceName":"a","Meta":{"a":1}}
        """,
        "json: cannot unmarshal number into Go struct field .Meta of type string")]
    [InlineData("", "EOF")]
    public void Wrong_intentions_are_refused_in_consuls_words(string body, string text) =>
        Create(body, Id)!.Text.ShouldBe(text);

    [Fact]
    public void Members_of_the_server_and_of_later_versions_are_let_through() =>
        Create(
            """
            {"sourcename":"a","DESTINATIONNAME":"b","Action":"allow","Precedence":3,"CreatedAt":"2026-01-01T00:00:00Z",
             "Hash":null,"CreateIndex":1,"DefaultAddr":"","SourcePartition":"","Permissions":null}
            """,
            Id).ShouldBeNull();

    [Fact]
    public void An_update_keeps_id_and_creation_and_may_move_to_another_pair()
    {
        Create("""{"SourceName":"web","DestinationName":"db","Action":"deny"}""", Id);
        Create("""{"SourceName":"api","DestinationName":"db","Action":"deny"}""", OtherId);
        Update(Id,
            """
            {"SourceName":"web2","DestinationName":"db2","Action":"allow"}
            """, Now.AddHours(1)).ShouldBeNull();
        var moved = Book().FindById(Id)!;
        (moved.SourceName, moved.DestinationName, moved.Action).ShouldBe(("web2", "db2", "allow"));
        (moved.CreatedAt, moved.UpdatedAt).ShouldBe((Now.UtcDateTime, Now.UtcDateTime.AddHours(1)));
        Book().All.Count.ShouldBe(2);
        Update(OtherId, """{"SourceName":"api","DestinationName":"x","Action":"deny"}""", Now);
        _entries.Keys.Order().ShouldBe(["db2", "x"]);
    }

    [Theory]
    [InlineData("foo", "Intention lookup failed: failed intention lookup: index error: UUID must be 36 characters")]
    [InlineData(OtherId, "Cannot modify non-existent intention: '" + OtherId + "'")]
    public void What_is_not_there_cannot_be_changed(string id, string text) =>
        Update(id, """{"SourceName":"a","DestinationName":"b","Action":"allow"}""", Now)!.Text.ShouldBe(text);

    [Fact]
    public void An_update_cannot_take_anothers_pair()
    {
        Create("""{"SourceName":"web","DestinationName":"db","Action":"deny"}""", Id);
        Create("""{"SourceName":"*","DestinationName":"db","Action":"allow"}""", OtherId);
        Update(Id, """{"SourceName":"*","DestinationName":"db","Action":"allow"}""", Now)!.Text.ShouldBe(
            $"duplicate intention found: ALLOW default/* => default/db (ID: {OtherId}, Precedence: 8)");
    }

    [Fact]
    public void An_upsert_makes_then_changes_and_deleting_the_last_source_deletes_the_entry()
    {
        Upsert("web", "db", """{"Action":"deny"}""").ShouldBeNull();
        Upsert("web", "db", """{"Action":"allow","SourceName":"web","DestinationName":"db"}""").ShouldBeNull();
        var only = Book().All.Single();
        (only.Action, only.Id).ShouldBe(("allow", ""));
        Apply(Editor(Now).DeleteExact(new IntentionName("web"), "db"));
        _entries.ShouldBeEmpty();
        Apply(Editor(Now).DeleteExact(new IntentionName("web"), "db"));
    }

    [Fact]
    public void An_upsert_keeps_the_id_that_older_clients_know()
    {
        Create("""{"SourceName":"web","DestinationName":"db","Action":"deny"}""", Id);
        Upsert("web", "db", """{"Action":"allow"}""").ShouldBeNull();
        Book().FindById(Id)!.Action.ShouldBe("allow");
    }

    [Fact]
    public void A_deleted_id_is_gone()
    {
        Create("""{"SourceName":"web","DestinationName":"db","Action":"deny"}""", Id);
        Editor(Now).TryDelete(Id, out var change, out _).ShouldBeTrue();
        Apply(change!);
        Editor(Now).TryDelete(Id, out _, out var refusal).ShouldBeFalse();
        refusal!.Text.ShouldBe($"Cannot delete non-existent intention: '{Id}'");
        IntentionEditor.TryFind(Book(), Id, out _, out refusal).ShouldBeFalse();
        refusal.ShouldBe(new Refusal(404, "Intention not found"));
        IntentionEditor.TryFind(Book(), "foo", out _, out refusal).ShouldBeFalse();
        refusal!.Text.ShouldBe("failed intention lookup: index error: UUID must be 36 characters");
    }

    [Fact]
    public void Permissions_are_stored_and_shown()
    {
        const string Body =
            """
            {"Permissions":[{"Action":"allow","HTTP":{"PathPrefix":"/a","Methods":["get"],"Header":[{"Name":"x",
             "Present":true}]}}]}
            """;
        Upsert("web", "db", Body).ShouldBeNull();
        var only = Book().All.Single();
        only.IsLayer7.ShouldBeTrue();
        only.Permissions!.ToJsonString().ShouldBe(
            """
            [{"Action":"allow","HTTP":{"PathPrefix":"/a","Header":[{"Name":"x","Present":true}],"Methods":["GET"]}}]
            """);
    }

    [Fact]
    public void Bad_permissions_are_refused()
    {
        Upsert("web", "db", """{"Permissions":[{"Action":"x","HTTP":{"PathExact":"/a"}}]}""")!.Text
            .ShouldBe("Sources[0].Permissions[0].Action must be set to 'allow' or 'deny'");
        Upsert("web", "db", """{"Permissions":[{"Action":"deny","HTTP":{"Nope":1}}]}""")!.Text
            .ShouldContain("invalid config key \"Sources[0].Permissions[0].HTTP.Nope\"");
    }

    [Theory]
    [InlineData("a/b/c", "name \"a/b/c\" is invalid: input can contain at most one '/'")]
    public void Names_have_at_most_a_namespace(string text, string problem)
    {
        IntentionName.TryParse(text, allowsPartition: false, out _, out var said).ShouldBeFalse();
        said.ShouldBe(problem);
    }

    [Fact]
    public void Match_is_keyed_by_the_names_as_given_and_null_for_none()
    {
        Create("""{"SourceName":"web","DestinationName":"db","Action":"deny"}""", Id);
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            IntentionJson.WriteMatch(
                writer, [("default/db", Book().MatchDestination("db")), ("x", Book().MatchDestination("x"))]);
        }

        var answer = JsonNode.Parse(buffer.WrittenSpan)!.AsObject();
        answer["default/db"]!.AsArray().Count.ShouldBe(1);
        answer.ContainsKey("x").ShouldBeTrue();
        answer["x"].ShouldBeNull();
    }

    private IntentionBook Book() => new(_entries.Values.SelectMany(static e => Intention.From(e, 3, 4)));

    private IntentionEditor Editor(DateTimeOffset now) => new(Book(), _entries.GetValueOrDefault, now);

    private Refusal? Create(string body, string id)
    {
        if (!IntentionJson.TryRead(Encoding.UTF8.GetBytes(body), out var given, out var problem))
        {
            return Refusal.BadRequest(problem);
        }

        if (!Editor(Now).TryCreate(given, id, out var change, out var refusal))
        {
            return refusal;
        }

        return Apply(change);
    }

    private Refusal? Update(string id, string body, DateTimeOffset now)
    {
        IntentionJson.TryRead(Encoding.UTF8.GetBytes(body), out var given, out _).ShouldBeTrue();
        return Editor(now).TryUpdate(id, given!, out var change, out var refusal) ? Apply(change) : refusal;
    }

    private Refusal? Upsert(string source, string destination, string body)
    {
        IntentionJson.TryRead(Encoding.UTF8.GetBytes(body), out var given, out _).ShouldBeTrue();
        return Editor(Now).TryUpsert(new IntentionName(source), destination, given!, out var change, out var refusal)
            ? Apply(change)
            : refusal;
    }

    private Refusal? Apply(IntentionChange change)
    {
        foreach (var entry in change.Puts)
        {
            _entries[entry.Name] = ConfigEntry.FromStorage(entry.ToStorage());
        }

        foreach (var name in change.Deletes)
        {
            _entries.Remove(name).ShouldBeTrue();
        }

        return null;
    }

    private static string Json(Intention intention)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            IntentionJson.Write(writer, intention);
        }

        var node = JsonNode.Parse(buffer.WrittenSpan)!.AsObject();
        node.Remove("Hash").ShouldBeTrue();
        return node.ToJsonString();
    }
}
