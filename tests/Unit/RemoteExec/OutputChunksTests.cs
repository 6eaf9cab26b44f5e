using System.Text;
using Praetor.Agent.RemoteExec;
using Shouldly;
using Support;
using Xunit;

namespace Unit.RemoteExec;

public sealed class OutputChunksTests
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(2);

    private readonly ManualTime _time = new();

    [Fact]
    public async Task Output_is_cut_into_full_pieces_and_a_rest()
    {
        var chunks = new OutputChunks(_time);
        await chunks.TakeAsync(new byte[(2 * ExecLimits.ChunkBytes) + 5]);
        chunks.End();

        (await LengthsAsync(chunks)).ShouldBe([ExecLimits.ChunkBytes, ExecLimits.ChunkBytes, 5]);
    }

    [Fact]
    public async Task A_piece_that_is_not_full_goes_on_after_a_while_and_then_come_heartbeats()
    {
        var chunks = new OutputChunks(_time);
        await chunks.TakeAsync("hi"u8.ToArray());
        await using var pieces = chunks.ReadAsync(Heartbeat).GetAsyncEnumerator();

        var first = pieces.MoveNextAsync().AsTask();
        first.IsCompleted.ShouldBeFalse();
        _time.Advance(ExecLimits.ChunkWait);
        (await first).ShouldBeTrue();
        Encoding.UTF8.GetString(pieces.Current.Span).ShouldBe("hi");

        var second = pieces.MoveNextAsync().AsTask();
        _time.Advance(Heartbeat);
        (await second).ShouldBeTrue();
        pieces.Current.IsEmpty.ShouldBeTrue();

        chunks.End();
        (await pieces.MoveNextAsync()).ShouldBeFalse();
    }

    [Theory]
    [InlineData("""{"Prefix":"_rexec","Session":"3ec61cee-9b82-4f20-8cd5-b8c69b7f77d2"}""", true)]
    [InlineData("""{"Prefix":"","Session":"3ec61cee-9b82-4f20-8cd5-b8c69b7f77d2"}""", false)]
    [InlineData("""{"Prefix":"_rexec","Session":"../x"}""", false)]
    [InlineData("""nonsense""", false)]
    public void Only_a_call_that_names_a_session_is_followed(string text, bool isOne) =>
        (ExecCall.Read(Encoding.UTF8.GetBytes(text)) is not null).ShouldBe(isOne);

    private static async Task<List<int>> LengthsAsync(OutputChunks chunks)
    {
        var lengths = new List<int>();
        await foreach (var chunk in chunks.ReadAsync(Heartbeat))
        {
            lengths.Add(chunk.Length);
        }

        return lengths;
    }
}
