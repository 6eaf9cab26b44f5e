using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Praetor.Server.Connect;

/// <summary>A private key, elliptic or RSA, and what certificates need of it.</summary>
public sealed class SigningKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    private SigningKey(AsymmetricAlgorithm key) => _key = key;

    /// <summary><c>ec</c> or <c>rsa</c>.</summary>
    public string Type => _key is RSA ? "rsa" : "ec";

    /// <summary>The key's size.</summary>
    public int Bits => _key.KeySize;

    /// <summary>The public half.</summary>
    public PublicKey PublicKey => _key is RSA rsa ? new PublicKey(rsa) : new PublicKey((ECDsa)_key);

    /// <summary>Makes a key.</summary>
    public static SigningKey Create(string type, int bits) => type == "rsa"
        ? new SigningKey(RSA.Create(bits))
        : new SigningKey(ECDsa.Create(bits switch
        {
            384 => ECCurve.NamedCurves.nistP384,
            521 => ECCurve.NamedCurves.nistP521,
            _ => ECCurve.NamedCurves.nistP256,
        }));

    /// <summary>Reads a key from PEM.</summary>
    /// <param name="pem">The text.</param>
    /// <param name="key">The key.</param>
    /// <param name="problem">What is wrong with it; never says what it contains.</param>
    public static bool TryParse(string pem, [NotNullWhen(true)] out SigningKey? key, out string problem)
    {
        key = null;
        if (!PemEncoding.TryFind(pem, out var found))
        {
            problem = "no PEM-encoded data found";
            return false;
        }

        var label = pem[found.Label];
        problem = $"the key of type \"{label}\" cannot be read; give an EC key (P-256, P-384, P-521) or an RSA key";
        var elliptic = label is "EC PRIVATE KEY" or "PRIVATE KEY";
        if (elliptic && TryImport(static p => Import(ECDsa.Create(), p), pem[found.Location], out key))
        {
            return true;
        }

        var rsa = label is "RSA PRIVATE KEY" or "PRIVATE KEY";
        return rsa && TryImport(static p => Import(RSA.Create(), p), pem[found.Location], out key);
    }

    /// <summary>The private key as PEM with a final line feed.</summary>
    public string ToPem() =>
        (_key is RSA rsa ? rsa.ExportRSAPrivateKeyPem() : ((ECDsa)_key).ExportECPrivateKeyPem()) + "\n";

    /// <summary>What signs certificates with this key.</summary>
    public X509SignatureGenerator Generator() => _key is RSA rsa
        ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1)
        : X509SignatureGenerator.CreateForECDsa((ECDsa)_key);

    /// <summary>A signing request for one identity.</summary>
    public string CreateRequest(SpiffeService identity)
    {
        var request = Certificates.ForLeaf(
            Certificates.Subject(identity.CommonName), PublicKey, identity.Uri, Certificates.KeyId(PublicKey));
        return PemEncoding.WriteString("CERTIFICATE REQUEST", request.CreateSigningRequest(Generator())) + "\n";
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    private static SigningKey? Import(ECDsa key, string pem)
    {
        key.ImportFromPem(pem);
        return new SigningKey(key);
    }

    private static SigningKey? Import(RSA key, string pem)
    {
        key.ImportFromPem(pem);
        return new SigningKey(key);
    }

    private static bool TryImport(Func<string, SigningKey?> import, string pem, [NotNullWhen(true)] out SigningKey? key)
    {
        try
        {
            key = import(pem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key = null;
        }

        if (key is null or { Type: "ec", Bits: 256 or 384 or 521 } or { Type: "rsa", Bits: >= 2048 })
        {
            return key is not null;
        }

        key.Dispose();
        key = null;
        return false;
    }
}
