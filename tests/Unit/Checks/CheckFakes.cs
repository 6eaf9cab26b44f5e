using System.Threading.Channels;
using Praetor.Agent.Checks;
using Xunit;

namespace Unit.Checks;

/// <summary>Remembers what checks reported.</summary>
internal sealed class RecordingSink : ICheckSink
{
    private const int UpdatesMax = 1000;
    private readonly Channel<Report> _reports = Channel.CreateBounded<Report>(UpdatesMax);

    public List<Report> All { get; } = [];

    public Report Last => All[^1];

    public void Update(string checkId, CheckStatus status, string output)
    {
        var report = new Report(checkId, status, output);
        lock (All)
        {
            All.Add(report);
        }

        _reports.Writer.TryWrite(report);
    }

    public async Task<Report> NextAsync() => await _reports.Reader.ReadAsync(TestContext.Current.CancellationToken);

    internal sealed record Report(string Id, CheckStatus Status, string Output);
}

/// <summary>A check type whose runs end when the test says so.</summary>
internal sealed class ManualRunner : ICheckRunner
{
    private const int RunsMax = 1000;
    private readonly Channel<Run> _runs = Channel.CreateBounded<Run>(RunsMax);
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public async Task<CheckResult> RunAsync(CheckSpec spec, CancellationToken stop)
    {
        Interlocked.Increment(ref _count);
        var run = new Run(spec, new TaskCompletionSource<CheckResult>(), stop);
        _runs.Writer.TryWrite(run);
        return await run.End.Task.WaitAsync(stop);
    }

    public async Task<Run> NextAsync() => await _runs.Reader.ReadAsync(TestContext.Current.CancellationToken);

    internal sealed record Run(CheckSpec Spec, TaskCompletionSource<CheckResult> End, CancellationToken Stop);
}

/// <summary>A Random whose every draw is the given one.</summary>
internal sealed class FixedRandom(double value) : Random
{
    public override double NextDouble() => value;
}
