using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Codecs.MessagePack;
using Codecs.Snapshots;
using Praetor.Server.Connect;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>The certificate authority in an archive: roots, the key of the built-in provider, the settings.</summary>
/// <remarks>In archives of our own it stands whole among <see cref="OwnRecords"/> as well, and that counts.</remarks>
internal sealed class CaPieces
{
    private readonly List<HeldRoot> _roots = [];
    private readonly Dictionary<string, string> _keysByRoot = new(StringComparer.Ordinal);
    private CaConfiguration? _configuration;
    private string _clusterId = "";

    public static IEnumerable<bool> Write(ReadView view, SnapshotBlocks blocks)
    {
        if (CaQueries.State(view) is not { } ca)
        {
            yield break;
        }

        foreach (var root in ca.Document.Roots)
        {
            blocks.Add(SnapshotRecordTypes.CaRoot, root, WriteRoot);
            yield return true;
        }

        blocks.Add(SnapshotRecordTypes.CaProvider, ca, WriteProvider);
        yield return true;
        blocks.Add(SnapshotRecordTypes.CaConfig, ca, WriteConfig);
        yield return true;
    }

    public static void ReadRoot(StateRestorer restorer, ReadOnlySpan<byte> value)
    {
        var map = MessagePackMap.Open(value);
        var active = map.Flag("Active"u8);
        var created = map.Number("CreateIndex"u8);
        var domain = map.Text("ExternalTrustDomain"u8);
        var id = map.Text("ID"u8);
        var intermediates = map.Texts("IntermediateCerts"u8);
        var modified = map.Number("ModifyIndex"u8);
        var name = map.Text("Name"u8);
        var notAfter = PackedTime.Read(map.Bytes("NotAfter"u8));
        var notBefore = PackedTime.Read(map.Bytes("NotBefore"u8));
        var bits = map.Int("PrivateKeyBits"u8);
        var type = map.Text("PrivateKeyType"u8);
        var certificate = map.Text("RootCert"u8);
        var rotatedOutAt = PackedTime.Read(map.Bytes("RotatedOutAt"u8));
        var serial = map.Number("SerialNumber"u8);
        var signingKeyId = map.Text("SigningKeyID"u8);
        if (!restorer.IsSound(map, SnapshotRecordTypes.CaRoot))
        {
            return;
        }

        var root = new CaRoot
        {
            Id = id,
            Name = name,
            SerialNumber = serial,
            SigningKeyId = signingKeyId,
            ExternalTrustDomain = domain,
            NotBefore = notBefore ?? default,
            NotAfter = notAfter ?? default,
            RootCert = certificate,
            IntermediateCerts = intermediates,
            Active = active,
            PrivateKeyType = type,
            PrivateKeyBits = bits,
            CreateIndex = created,
            ModifyIndex = modified,
        };
        restorer.Ca._roots.Add(new HeldRoot(root, active ? null : rotatedOutAt ?? notBefore));
    }

    public static void ReadProvider(StateRestorer restorer, ReadOnlySpan<byte> value)
    {
        var map = MessagePackMap.Open(value);
        var key = map.Text("PrivateKey"u8);
        var root = map.Text("RootCert"u8);
        if (restorer.IsSound(map, SnapshotRecordTypes.CaProvider) && key.Length > 0)
        {
            restorer.Ca._keysByRoot[root.Trim()] = key;
        }
    }

    public static void ReadConfig(StateRestorer restorer, ReadOnlySpan<byte> value)
    {
        var map = MessagePackMap.Open(value);
        var cluster = map.Text("ClusterID"u8);
        var config = PackedJson.Object(map.Raw("Config"u8), PackedShape.AsWritten);
        var created = map.Number("CreateIndex"u8);
        var forced = map.Flag("ForceWithoutCrossSigning"u8);
        var modified = map.Number("ModifyIndex"u8);
        var provider = map.Text("Provider"u8);
        if (restorer.IsSound(map, SnapshotRecordTypes.CaConfig))
        {
            restorer.Ca._clusterId = cluster;
            restorer.Ca._configuration = new CaConfiguration
            {
                Provider = provider,
                Config = config,
                ForceWithoutCrossSigning = forced,
                CreateIndex = created,
                ModifyIndex = modified,
            };
        }
    }

    /// <summary>Puts the authority together and into the state. Else the one that is there goes on.</summary>
    public void Finish(StateRestorer restorer)
    {
        if (IsWhole(restorer.View) || _configuration is null || _roots.Count == 0)
        {
            return;
        }

        if (Together() is not { } ca)
        {
            restorer.Warn($"certificate authority (provider {_configuration.Provider}), whose key is not in the "
                + "snapshot; the one that is there goes on");
            return;
        }

        Put(restorer, CaDocument.Name, JsonSerializer.SerializeToUtf8Bytes(ca.Document, ConnectJson.Plain.CaDocument));
        Put(restorer, CaKey.Name, JsonSerializer.SerializeToUtf8Bytes(ca.Key, ConnectJson.Plain.CaKey));
    }

    // One that came as documents of our own.
    private static bool IsWhole(ReadView view)
    {
        try
        {
            return CaQueries.Document(view) is not null && (CaQueries.State(view) is { Document.Roots: not null } ca
                && ca.Document.Roots.Count(static r => r.Root.Active) == 1
                && IsUsable(ca.Document.Active, ca.Key.PrivateKey)
                    ? true : throw StateRestorer.Malformed(SnapshotRecordTypes.CaRoot, "key and root do not match"));
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw StateRestorer.Malformed(SnapshotRecordTypes.CaRoot, e.Message);
        }
    }

    // Whether it has ended does not matter here: one that has is replaced as it would be without a snapshot.
    private static bool IsUsable(CaRoot root, string pem)
    {
        if (!SigningKey.TryParse(pem, out var key, out _))
        {
            return false;
        }

        if (!AuthorityRoot.TryUse(
            root.RootCert, key, new DateTimeOffset(root.NotBefore.Ticks, TimeSpan.Zero), out var usable, out _))
        {
            key.Dispose();
            return false;
        }

        usable.Dispose();
        return true;
    }

    private CaState? Together()
    {
        if (_roots.Count(static r => r.Root.Active) != 1 || _configuration!.Provider != CaConfiguration.BuiltIn)
        {
            return null;
        }

        var active = _roots.Single(static r => r.Root.Active).Root;
        if (!_keysByRoot.TryGetValue(active.RootCert.Trim(), out var pem) || !IsUsable(active, pem))
        {
            return null;
        }

        var document = new CaDocument
        {
            ClusterId = _clusterId,
            Configuration = CertificateAuthority.WithoutSecrets(_configuration),
            Roots = _roots,
        };
        return new CaState(document, new CaKey { RootId = active.Id, PrivateKey = pem });
    }

    private static void Put(StateRestorer restorer, string name, byte[] json) =>
        restorer.Add(Tables.Documents, new DocumentRecord
        {
            Name = name, Json = json, CreateIndex = restorer.LastIndex, ModifyIndex = restorer.LastIndex,
        });

    private static void WriteRoot(ref MessagePackWriter writer, HeldRoot held)
    {
        var root = held.Root;
        writer.WriteMapHeader(17);
        writer.Flag("Active"u8, root.Active);
        writer.Number("CreateIndex"u8, root.CreateIndex);
        writer.Text("ExternalTrustDomain"u8, root.ExternalTrustDomain);
        writer.Text("ID"u8, root.Id);
        writer.Texts("IntermediateCerts"u8, root.IntermediateCerts);
        writer.Number("ModifyIndex"u8, root.ModifyIndex);
        writer.Text("Name"u8, root.Name);
        writer.WriteRaw("NotAfter"u8);
        PackedTime.Write(ref writer, root.NotAfter);
        writer.WriteRaw("NotBefore"u8);
        PackedTime.Write(ref writer, root.NotBefore);
        writer.Whole("PrivateKeyBits"u8, root.PrivateKeyBits);
        writer.Text("PrivateKeyType"u8, root.PrivateKeyType);
        writer.Text("RootCert"u8, root.RootCert);
        writer.WriteRaw("RotatedOutAt"u8);
        PackedTime.Write(ref writer, held.RotatedOutAt ?? default);
        writer.Number("SerialNumber"u8, root.SerialNumber);
        writer.Text("SigningCert"u8, "");
        writer.Text("SigningKey"u8, "");
        writer.Text("SigningKeyID"u8, root.SigningKeyId);
    }

    private static void WriteProvider(ref MessagePackWriter writer, CaState ca)
    {
        var active = ca.Document.Active;
        writer.WriteMapHeader(6);
        writer.Number("CreateIndex"u8, active.CreateIndex);
        writer.Text("ID"u8, ProviderId(ca));
        writer.Text("IntermediateCert"u8, "");
        writer.Number("ModifyIndex"u8, active.ModifyIndex);
        writer.Text("PrivateKey"u8, ca.Key.PrivateKey);
        writer.Text("RootCert"u8, active.RootCert);
    }

    private static void WriteConfig(ref MessagePackWriter writer, CaState ca)
    {
        var configuration = ca.Document.Configuration;
        writer.WriteMapHeader(7);
        writer.Text("ClusterID"u8, ca.Document.ClusterId);
        writer.WriteRaw("Config"u8);
        var config = CertificateAuthority.WithSecrets(ca).Config ?? [];
        using (var document = JsonDocument.Parse(config.ToJsonString()))
        {
            PackedJson.Write(ref writer, document.RootElement, PackedShape.AsWritten);
        }

        writer.Number("CreateIndex"u8, configuration.CreateIndex);
        writer.Flag("ForceWithoutCrossSigning"u8, configuration.ForceWithoutCrossSigning);
        writer.Number("ModifyIndex"u8, configuration.ModifyIndex);
        writer.Text("Provider"u8, configuration.Provider);
        writer.Nil("State"u8);
    }

    // How Consul finds the provider's key again: by what its settings say of key and root, and that it is no secondary
    // datacenter's.
    private static string ProviderId(CaState ca)
    {
        var settings = CaSettings.TryRead(CertificateAuthority.WithSecrets(ca).Config, out var read, out _)
            ? read : new CaSettings();
        var sum = SHA256.HashData(Encoding.UTF8.GetBytes($"{settings.PrivateKey},{settings.RootCert},true"));
        return string.Join(':', sum.Select(static b => b.ToString("x2", CultureInfo.InvariantCulture)));
    }
}
