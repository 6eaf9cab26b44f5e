using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Praetor.Server.Connect;
using Praetor.Server.State;
using Shouldly;
using Xunit;

namespace Unit.Connect;

public sealed class CertificateAuthorityTests
{
    private const string ClusterId = "5ed5e668-654e-1df3-d515-64060a38b9f6";
    private static readonly DateTimeOffset Start = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_first_root_is_shaped_as_consuls()
    {
        var state = Fresh();
        var root = state.Document.Active;
        root.PrivateKeyType.ShouldBe("ec");
        root.PrivateKeyBits.ShouldBe(256);
        root.IntermediateCerts.ShouldBeNull();
        (root.NotAfter - Start.UtcDateTime).ShouldBe(TimeSpan.FromHours(87600));
        using var certificate = X509Certificate2.CreateFromPem(root.RootCert);
        certificate.Subject.ShouldMatch("^CN=pri-[0-9a-z]+\\.consul\\.ca\\.5ed5e668\\.consul$");
        root.SigningKeyId.ShouldBe(Hex(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo())));
        root.Id.ShouldBe(Hex(certificate.GetCertHash()));
        Extensions(certificate).ShouldBe(
            ["2.5.29.15!", "2.5.29.19!", "2.5.29.14", "2.5.29.35", "2.5.29.17"]);
    }

    [Fact]
    public void A_leaf_is_shaped_as_consuls_and_chains_to_the_root()
    {
        var state = Fresh();
        var leaf = Issue(state, "My.Svc_1", Start);
        using var certificate = X509Certificate2.CreateFromPem(leaf.CertPem);
        certificate.Subject.ShouldBe("CN=mysvc1.svc.default.5ed5e668.consul");
        certificate.NotBefore.ToUniversalTime().ShouldBe(Start.UtcDateTime.AddMinutes(-1));
        certificate.NotAfter.ToUniversalTime().ShouldBe(Start.UtcDateTime.AddMinutes(-1).AddHours(72));
        Extensions(certificate).ShouldBe(
            ["2.5.29.15!", "2.5.29.37", "2.5.29.19!", "2.5.29.14", "2.5.29.35", "2.5.29.17"]);
        certificate.Extensions.OfType<X509KeyUsageExtension>().Single().RawData.ShouldBe([3, 2, 3, 0xb8]);
        leaf.ServiceUri.ShouldBe($"spiffe://{ClusterId}.consul/ns/default/dc/dc1/svc/My.Svc_1");
        leaf.SerialNumber.ShouldBe(Hex(certificate.SerialNumberBytes.ToArray()));
        Chains(leaf, state.Document.Active, Start).ShouldBeTrue();
    }

    [Theory]
    [InlineData("ec", 384)]
    [InlineData("ec", 521)]
    [InlineData("rsa", 2048)]
    public void Every_key_type_signs_leaves_that_chain(string type, int bits)
    {
        var state = Fresh(new JsonObject { ["PrivateKeyType"] = type, ["private_key_bits"] = bits });
        state.Document.Active.PrivateKeyType.ShouldBe(type);
        state.Document.Active.PrivateKeyBits.ShouldBe(bits);
        Chains(Issue(state, "web", Start), state.Document.Active, Start).ShouldBeTrue();
    }

    [Fact]
    public void After_rotation_a_leaf_chains_to_the_old_root_and_to_the_new_one()
    {
        var old = Fresh();
        var state = Configure(old, new JsonObject { ["PrivateKeyType"] = "rsa" });
        state.Document.Roots.Count.ShouldBe(2);
        state.Document.Roots[0].Root.Active.ShouldBeFalse();
        var leaf = Issue(state, "web", Start);
        Chains(leaf, state.Document.Active, Start).ShouldBeTrue();
        Chains(leaf, old.Document.Active, Start).ShouldBeTrue();
        var earlier = Issue(old, "web", Start);
        Chains(earlier, old.Document.Active, Start).ShouldBeTrue();
        Chains(earlier, state.Document.Active, Start).ShouldBeFalse();
    }

    [Fact]
    public void An_old_root_goes_only_after_its_last_leaf_has_ended()
    {
        var state = Configure(Fresh(), new JsonObject { ["PrivateKeyBits"] = 384 });
        CertificateAuthority.Prune(state, Start.AddHours(143)).ShouldBeSameAs(state);
        CertificateAuthority.Prune(state, Start.AddHours(145)).Document.Roots.Single().Root.Active.ShouldBeTrue();
    }

    [Fact]
    public void Shorter_lives_do_not_drop_an_old_root_earlier()
    {
        var before = Configure(Fresh(), new JsonObject { ["LeafCertTTL"] = "2h" });
        var state = Configure(before, new JsonObject { ["LeafCertTTL"] = "2h", ["PrivateKeyBits"] = 384 });
        CertificateAuthority.Prune(state, Start.AddHours(143)).ShouldBeSameAs(state);
        CertificateAuthority.Prune(state, Start.AddHours(145)).Document.Roots.Count.ShouldBe(1);
    }

    [Fact]
    public void A_root_that_has_expired_is_replaced_without_its_help()
    {
        var late = Start.AddYears(11);
        var next = new CaConfiguration { Provider = "consul", Config = new JsonObject { ["PrivateKeyBits"] = 384 } };
        CertificateAuthority.TryConfigure(Fresh(), next, late, 20, out var state, out _).ShouldBeTrue();
        state!.Document.Active.IntermediateCerts.ShouldBeNull();
        Chains(Issue(state, "web", late), state.Document.Active, late).ShouldBeTrue();
    }

    [Fact]
    public void Changing_only_lifetimes_keeps_the_root()
    {
        var old = Fresh();
        var state = Configure(old, new JsonObject { ["LeafCertTTL"] = "2h" });
        state.Document.Active.ShouldBe(old.Document.Active);
        using var signer = new LeafSigner(state, "dc1");
        signer.Settings.LeafTtl.ShouldBe(TimeSpan.FromHours(2));
    }

    [Fact]
    public void A_root_and_key_of_the_user_are_used_and_the_key_is_never_shown()
    {
        using var key = SigningKey.Create("ec", 256);
        var config = new JsonObject { ["PrivateKey"] = key.ToPem() };
        var state = Configure(Fresh(), config);
        state.Key.PrivateKey.ShouldBe(key.ToPem());
        var answer = CertificateAuthority.Answer(state.Document);
        answer.Config!["PrivateKey"]!.GetValue<string>().ShouldBe(CertificateAuthority.Hidden);
        JsonSerializer.Serialize(state.Document, ConnectJson.Plain.CaDocument).ShouldNotContain("PRIVATE KEY");
        state.ToString().ShouldNotContain("PRIVATE KEY");

        // What was read can be written back.
        CertificateAuthority.TryConfigure(state, answer, Start, 30, out var same, out _).ShouldBeTrue();
        same!.Document.Active.ShouldBe(state.Document.Active);
    }

    [Fact]
    public void A_root_certificate_must_belong_to_its_key()
    {
        using var key = SigningKey.Create("ec", 256);
        var config = new JsonObject { ["PrivateKey"] = key.ToPem(), ["RootCert"] = Fresh().Document.Active.RootCert };
        Refusal(config).ShouldBe("error parsing root certificate: it does not belong to the private key");
    }

    [Fact]
    public void A_brought_root_signs_leaves_that_chain()
    {
        var other = Fresh();
        var config = new JsonObject
        {
            ["PrivateKey"] = other.Key.PrivateKey,
            ["RootCert"] = other.Document.Active.RootCert,
        };
        var state = Configure(Fresh(), config);
        state.Document.Active.Id.ShouldBe(other.Document.Active.Id);
        Chains(Issue(state, "web", Start), other.Document.Active, Start).ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"LeafCertTTL":"10m"}""",
        "error configuring provider: leaf cert TTL must be greater or equal than 1h0m0s")]
    [InlineData("""{"LeafCertTTL":"87601h"}""",
        "error configuring provider: leaf cert TTL must be less than 8760h0m0s")]
    [InlineData("""{"PrivateKeyType":"xx"}""",
        "error configuring provider: private key type must be either 'ec' or 'rsa'")]
    [InlineData(
        """{"PrivateKeyType":"rsa","PrivateKeyBits":1024}""",
        "error configuring provider: RSA key length must be 2048 or 4096 bits")]
    [InlineData(
        """{"IntermediateCertTTL":"1h"}""",
        "error configuring provider: Intermediate Cert TTL must be greater or equal than 3h")]
    [InlineData(
        """{"RootCert":"garbage"}""",
        "error configuring provider: must provide a private key when providing a root cert")]
    [InlineData(
        """{"LeafCertTTL":"abc"}""",
        "error configuring provider: error decoding config: 1 error(s) decoding:\n\n" +
        "* error decoding 'LeafCertTTL': time: invalid duration \"abc\"")]
    [InlineData(
        """{"PrivateKey":"garbage"}""",
        "error generating CA root certificate: error generating CA: error parsing private key: " +
        "no PEM-encoded data found")]
    public void Wrong_settings_are_refused_in_consuls_words(string config, string text) =>
        Refusal(JsonNode.Parse(config)!.AsObject()).ShouldBe(text);

    [Theory]
    [InlineData("""{"Provider":"consul","Foo":1}""", "Request decode failed: json: unknown field \"Foo\"")]
    [InlineData("", "Request decode failed: EOF")]
    public void A_configuration_with_unknown_members_is_refused(string body, string text)
    {
        CaConfigurationReader.TryRead(System.Text.Encoding.UTF8.GetBytes(body), out _, out var refusal).ShouldBeFalse();
        refusal!.Text.ShouldStartWith(text);
    }

    [Fact]
    public void A_configuration_is_read_in_any_case_and_with_the_servers_members()
    {
        var body =
            """{"provider":"consul","Config":{"LeafCertTTL":"2h"},"State":null,"CreateIndex":5,"ModifyIndex":6}"""u8;
        CaConfigurationReader.TryRead(body.ToArray(), out var read, out _).ShouldBeTrue();
        read!.Provider.ShouldBe("consul");
        CertificateAuthority.TryConfigure(Fresh(), read, Start, 20, out var state, out _).ShouldBeTrue();
        CertificateAuthority.Answer(state!.Document).Config!.ToJsonString().ShouldBe("""{"LeafCertTTL":"2h"}""");
    }

    [Fact]
    public void Another_provider_is_unknown()
    {
        CertificateAuthority.TryConfigure(
            Fresh(), new CaConfiguration { Provider = "foo" }, Start, 9, out _, out var refusal).ShouldBeFalse();
        refusal!.Text.ShouldBe("could not initialize provider: unknown CA provider \"foo\"");
    }

    [Fact]
    public void Roots_are_answered_with_consuls_members()
    {
        var state = Fresh();
        var json = JsonSerializer.Serialize(
            CertificateAuthority.Roots(state.Document, Start.AddDays(1)), ConnectJson.Plain.CaRootsAnswer);
        var answer = JsonNode.Parse(json)!.AsObject();
        answer.Select(static p => p.Key).ShouldBe(["ActiveRootID", "TrustDomain", "Roots"]);
        var root = answer["Roots"]![0]!.AsObject();
        root.Select(static p => p.Key).ShouldBe(
        [
            "ID", "Name", "SerialNumber", "SigningKeyID", "ExternalTrustDomain", "NotBefore", "NotAfter", "RootCert",
            "IntermediateCerts", "Active", "PrivateKeyType", "PrivateKeyBits", "DaysRemaining", "CreateIndex",
            "ModifyIndex",
        ]);
        root["NotAfter"]!.GetValue<string>().ShouldBe("2036-11-18T12:00:00Z");
        root["DaysRemaining"]!.GetValue<int>().ShouldBe(3649);
        root["IntermediateCerts"].ShouldBeNull();
        json.ShouldContain("-----BEGIN CERTIFICATE-----\\nMI");
    }

    [Fact]
    public void The_state_survives_storage()
    {
        var state = Configure(Fresh(), new JsonObject { ["PrivateKeyBits"] = 384 });
        var json = JsonSerializer.SerializeToUtf8Bytes(state.Document, ConnectJson.Plain.CaDocument);
        var key = JsonSerializer.SerializeToUtf8Bytes(state.Key, ConnectJson.Plain.CaKey);
        var loaded = new CaState(
            JsonSerializer.Deserialize(json, ConnectJson.Plain.CaDocument)!,
            JsonSerializer.Deserialize(key, ConnectJson.Plain.CaKey)!);
        loaded.Document.Roots.Count.ShouldBe(2);
        Chains(Issue(loaded, "web", Start), state.Document.Active, Start).ShouldBeTrue();
    }

    internal static CaState Fresh(JsonObject? config = null)
    {
        CertificateAuthority.TryInitialize(
            ClusterId, CertificateAuthority.DefaultConfiguration(config), Start, 5, out var state, out var refusal)
            .ShouldBeTrue(refusal?.Text);
        return state!;
    }

    internal static CaState Configure(CaState state, JsonObject config)
    {
        var next = new CaConfiguration { Provider = "consul", Config = config };
        CertificateAuthority.TryConfigure(state, next, Start, 20, out var configured, out var refusal)
            .ShouldBeTrue(refusal?.Text);
        return configured!;
    }

    internal static IssuedLeaf Issue(CaState state, string service, DateTimeOffset now)
    {
        using var signer = new LeafSigner(state, "dc1");
        using var key = SigningKey.Create("ec", 256);
        signer.TrySign(key.CreateRequest(signer.IdentityOf(service)), service, now, 7, out var leaf, out var refusal)
            .ShouldBeTrue(refusal?.Text);
        return leaf!;
    }

    private static string Refusal(JsonObject config)
    {
        var next = new CaConfiguration { Provider = "consul", Config = config };
        CertificateAuthority.TryConfigure(Fresh(), next, Start, 20, out _, out var refusal).ShouldBeFalse();
        return refusal!.Text;
    }

    private static bool Chains(IssuedLeaf leaf, CaRoot root, DateTimeOffset now)
    {
        using var trusted = X509Certificate2.CreateFromPem(root.RootCert);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(trusted);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        var all = new X509Certificate2Collection();
        all.ImportFromPem(leaf.CertPem);
        chain.ChainPolicy.ExtraStore.AddRange(all);
        return chain.Build(all[0]);
    }

    private static IEnumerable<string> Extensions(X509Certificate2 certificate) =>
        certificate.Extensions.Select(static e => e.Oid!.Value + (e.Critical ? "!" : ""));

    private static string Hex(byte[] bytes) =>
        string.Join(':', bytes.Select(static b => b.ToString("x2", System.Globalization.CultureInfo.InvariantCulture)));
}
