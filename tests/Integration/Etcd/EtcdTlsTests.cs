using System.Diagnostics;
using Praetor.Agent.Cluster;
using Praetor.Server.Storage.Etcd;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Etcd;

/// <summary>An etcd that somebody else runs, and that asks for certificates.</summary>
public sealed class EtcdTlsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_etcd_is_reached_over_TLS_by_who_has_a_certificate_and_is_known_by_its_own()
    {
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        using var folder = new TempFolder("etcd-tls");
        var files = TestAuthority.Write(folder);
        var url = $"https://127.0.0.1:{FreePorts.Take()}";
        using var thread = new ForkingThread("test");
        using var process = await thread.RunAsync(() => Process.Start(Outside(folder, files, url))!);
        var drained = Task.WhenAll(
            process.StandardError.ReadToEndAsync(Stop), process.StandardOutput.ReadToEndAsync(Stop));
        try
        {
            using var client = new EtcdClient(
                new EtcdClientOptions
                {
                    Endpoints = [url],
                    CaFile = files.CaFile,
                    CertificateFile = files.CertificateFile,
                    KeyFile = files.KeyFile,
                },
                TimeProvider.System);
            await Eventually.HoldsAsync("it answers", Member.Limit, () => AnswersAsync(client), Stop);

            client.Commit(new EtcdTxn([], [new EtcdPut([1], [2])], []), Member.Limit).Succeeded.ShouldBeTrue();

            using var nobody = new EtcdClient(
                new EtcdClientOptions { Endpoints = [url], CaFile = files.CaFile }, TimeProvider.System);
            await Should.ThrowAsync<EtcdUnknownException>(() => nobody.StatusAsync(Stop));
            using var distrustful = new EtcdClient(
                new EtcdClientOptions
                {
                    Endpoints = [url], CertificateFile = files.CertificateFile, KeyFile = files.KeyFile,
                },
                TimeProvider.System);
            await Should.ThrowAsync<EtcdUnknownException>(() => distrustful.StatusAsync(Stop));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(Stop);
            await drained;
        }
    }

    private static ProcessStartInfo Outside(TempFolder folder, EtcdPeerTls files, string url)
    {
        var peer = $"http://127.0.0.1:{FreePorts.Take()}";
        var info = new ProcessStartInfo(
            "setpriv",
            [
                "--pdeathsig", "KILL", "--", RealEtcd.Executable, "--name", "a", "--data-dir", folder.File("data"),
                "--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", peer,
                "--initial-advertise-peer-urls", peer, "--initial-cluster", $"a={peer}",
                "--cert-file", files.CertificateFile, "--key-file", files.KeyFile,
                "--trusted-ca-file", files.CaFile, "--client-cert-auth", "--log-outputs", "stderr", "--logger", "zap",
            ])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        return info;
    }

    private static async Task<bool> AnswersAsync(EtcdClient client)
    {
        try
        {
            return (await client.StatusAsync(Stop)).LeaderId != 0;
        }
        catch (EtcdUnknownException)
        {
            return false;
        }
    }
}
