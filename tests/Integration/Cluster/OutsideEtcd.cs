using System.Diagnostics;
using Integration.Etcd;
using Praetor.Agent.Cluster;
using Support;

namespace Integration.Cluster;

/// <summary>A real etcd that a test runs beside the agents, as an operator would.</summary>
internal sealed class OutsideEtcd : IAsyncDisposable
{
    private readonly TempFolder _folder = new("outside-etcd");
    private readonly EtcdPeerTls? _tls;
    private readonly string _peer = $"http://127.0.0.1:{FreePorts.Take()}";
    private readonly ForkingThread _thread = new("outside etcd");
    private Process? _process;
    private Task _drained = Task.CompletedTask;

    private OutsideEtcd(bool hasTls)
    {
        _tls = hasTls ? TestAuthority.Write(_folder) : null;
        Url = $"{(hasTls ? "https" : "http")}://127.0.0.1:{FreePorts.Take()}";
    }

    /// <summary>Where it is.</summary>
    public string Url { get; }

    /// <summary>Its files; a client shows the same certificate.</summary>
    public EtcdPeerTls Tls => _tls ?? throw new InvalidOperationException("it has no TLS");

    /// <summary>One that does not run yet.</summary>
    public static OutsideEtcd New(bool hasTls) => new(hasTls);

    /// <summary>Starts it, again with the data it had.</summary>
    public async Task StartAsync()
    {
        var process = await _thread.RunAsync(() => Process.Start(Command())!);
        _process = process;
        _drained = Task.WhenAll(process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
    }

    /// <summary>Ends it; its data stays.</summary>
    public async Task EndAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            await _drained;
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>Runs etcdctl against it.</summary>
    public async Task ControlAsync(params string[] arguments)
    {
        string[] tls = _tls is null ? []
            : ["--cacert", _tls.CaFile, "--cert", _tls.CertificateFile, "--key", _tls.KeyFile];
        var tool = Path.Combine(Path.GetDirectoryName(RealEtcd.Executable)!, "etcdctl");
        var info = new ProcessStartInfo(tool, ["--endpoints", Url, .. tls, .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(info)!;
        process.StandardInput.Close();
        var said = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"etcdctl {string.Join(' ', arguments)}: {said}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _thread.Dispose();
        _folder.Dispose();
    }

    private ProcessStartInfo Command()
    {
        string[] tls = _tls is null ? []
            : ["--cert-file", _tls.CertificateFile, "--key-file", _tls.KeyFile, "--trusted-ca-file", _tls.CaFile,
                "--client-cert-auth"];
        return new ProcessStartInfo(
            "setpriv",
            [
                "--pdeathsig", "KILL", "--", RealEtcd.Executable, "--name", "a", "--data-dir", _folder.File("data"),
                "--listen-client-urls", Url, "--advertise-client-urls", Url, "--listen-peer-urls", _peer,
                "--initial-advertise-peer-urls", _peer, "--initial-cluster", $"a={_peer}",
                "--log-outputs", "stderr", "--logger", "zap", .. tls,
            ])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
    }
}
