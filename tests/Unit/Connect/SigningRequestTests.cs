using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Praetor.Server.Connect;
using Praetor.Server.State;
using Shouldly;
using Xunit;

namespace Unit.Connect;

public sealed class SigningRequestTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private static readonly CaState State = CertificateAuthorityTests.Fresh();
    private static readonly string Domain = State.Document.TrustDomain;

    [Fact]
    public void A_request_with_two_identities_is_not_signed() =>
        Sign(Request(b =>
        {
            b.AddUri(new Uri($"spiffe://{Domain}/ns/default/dc/dc1/svc/web"));
            b.AddUri(new Uri($"spiffe://{Domain}/ns/default/dc/dc1/svc/db"));
        })).ShouldContain("exactly one URI");

    [Fact]
    public void A_request_with_a_name_beside_the_identity_is_not_signed() =>
        Sign(Request(b =>
        {
            b.AddUri(new Uri($"spiffe://{Domain}/ns/default/dc/dc1/svc/web"));
            b.AddDnsName("db.example");
        })).ShouldContain("exactly one URI");

    [Fact]
    public void A_request_without_identity_is_not_signed() =>
        Sign(Request(null)).ShouldContain("subject alternative name");

    [Fact]
    public void A_request_for_another_service_is_not_signed() =>
        Sign(Request(b => b.AddUri(new Uri($"spiffe://{Domain}/ns/default/dc/dc1/svc/db"))))
            .ShouldContain("Permission denied");

    [Fact]
    public void A_request_of_another_trust_domain_is_not_signed() =>
        Sign(Request(b => b.AddUri(new Uri("spiffe://x.consul/ns/default/dc/dc1/svc/web"))))
            .ShouldBe($"SPIFFE ID in CSR from a different trust domain: x.consul, we are {Domain}");

    [Fact]
    public void A_request_of_another_datacenter_is_not_signed() =>
        Sign(Request(b => b.AddUri(new Uri($"spiffe://{Domain}/ns/default/dc/dc2/svc/web"))))
            .ShouldBe("SPIFFE ID in CSR from a different datacenter: dc2, we are dc1");

    [Fact]
    public void A_request_with_a_weak_key_is_not_signed()
    {
        using var rsa = RSA.Create(1024);
        var request = new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        Sign(request.CreateSigningRequestPem()).ShouldContain("weak");
    }

    [Fact]
    public void A_request_whose_signature_is_wrong_is_not_signed()
    {
        var pem = Request(b => b.AddUri(new Uri($"spiffe://{Domain}/ns/default/dc/dc1/svc/web")));
        var fields = PemEncoding.Find(pem);
        var der = Convert.FromBase64String(pem[fields.Base64Data]);
        der[^1] ^= 1;
        Sign(PemEncoding.WriteString("CERTIFICATE REQUEST", der)).ShouldContain("CSR cannot be read");
    }

    [Fact]
    public void Damaged_requests_never_throw()
    {
        var random = new Random(7);
        var pem = Request(b => b.AddUri(new Uri($"spiffe://{Domain}/ns/default/dc/dc1/svc/web")));
        var der = Convert.FromBase64String(pem[PemEncoding.Find(pem).Base64Data]);
        for (var i = 0; i < 2_000; i++)
        {
            var bad = der.ToArray();
            bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
            Sign(PemEncoding.WriteString("CERTIFICATE REQUEST", bad)).ShouldNotBeEmpty();
        }
    }

    [Fact]
    public void The_limiter_admits_its_rate_and_refills()
    {
        var time = new Support.ManualTime();
        var limiter = new CsrLimiter(time);
        var settings = new CaSettings { CsrMaxPerSecond = 2 };
        Admitted(limiter, settings, 5).ShouldBe(1);
        time.Advance(TimeSpan.FromSeconds(10));
        Admitted(limiter, settings, 5).ShouldBe(2);
    }

    private static int Admitted(CsrLimiter limiter, CaSettings settings, int tries) =>
        Enumerable.Range(0, tries).Count(_ => limiter.TryEnter(settings));

    private static string Sign(string csr)
    {
        using var signer = new LeafSigner(State, "dc1");
        signer.TrySign(csr, "web", Now, 1, out _, out var refusal).ShouldBeFalse();
        return refusal!.Text;
    }

    private static string Request(Action<SubjectAlternativeNameBuilder>? names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256);
        if (names is not null)
        {
            var builder = new SubjectAlternativeNameBuilder();
            names(builder);
            request.CertificateExtensions.Add(builder.Build());
        }

        return request.CreateSigningRequestPem();
    }
}
