using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Lifecycle;

/// <summary>What trimming must not have done to the code that is published.</summary>
public sealed class PublishedCodeTests
{
    private const string Monitor = "System.Threading.Monitor";
    private const string Lock = "System.Threading.Lock";
    private const byte Call = 0x28;
    private const int TokenBytes = 4;

    /// <summary>The trimmer once took the end of a lock away: who came next waited for ever.</summary>
    [Fact]
    public void A_method_that_takes_a_lock_gives_it_back_as_it_did_before_it_was_trimmed()
    {
        var folder = Path.GetDirectoryName(new AgentOptions().Executable)!;
        Assert.SkipUnless(File.Exists(Path.Combine(folder, "System.Net.Http.dll")), "the executable is not trimmed");
        var kept = new List<string>();
        var locks = 0;
        foreach (var file in Directory.GetFiles(folder, "*.dll"))
        {
            var trimmed = LocksIn(file);
            locks += trimmed.Values.Sum(static m => m.Enters);
            var suspects = trimmed.Where(static m => m.Value.Enters > m.Value.Exits).ToList();
            if (suspects.Count == 0)
            {
                continue;
            }

            // Some take it in one method and give it back in another.
            var before = Original(Path.GetFileName(file)) is { } original ? LocksIn(original) : [];
            kept.AddRange(suspects
                .Where(s => KeptOf(s.Value) > KeptOf(before.GetValueOrDefault(s.Key)))
                .Select(s => $"{Path.GetFileName(file)}: {s.Key}: {s.Value}"));
        }

        locks.ShouldBeGreaterThan(100, "else nothing was looked at");
        kept.ShouldBeEmpty();
    }

    private static int KeptOf((int Enters, int Exits) locks) => locks.Enters - locks.Exits;

    // In the runtime that runs this test.
    private static string? Original(string file)
    {
        var own = Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory());
        var web = own.Replace("Microsoft.NETCore.App", "Microsoft.AspNetCore.App", StringComparison.Ordinal);
        return ((string[])[own, web]).Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
    }

    // By the name and signature of each method that takes or gives back a lock.
    private static Dictionary<string, (int Enters, int Exits)> LocksIn(string file)
    {
        var found = new Dictionary<string, (int, int)>(StringComparer.Ordinal);
        using var stream = File.OpenRead(file);
        using var image = new PEReader(stream);
        if (!image.HasMetadata)
        {
            return found;
        }

        var reader = image.GetMetadataReader();
        HashSet<int> enters = [.. Calls(reader, Monitor, "Enter"), .. Calls(reader, Lock, "EnterScope")];
        HashSet<int> exits = [.. Calls(reader, Monitor, "Exit"), .. Calls(reader, Lock + "/Scope", "Dispose")];
        foreach (var type in reader.TypeDefinitions)
        {
            foreach (var handle in reader.GetTypeDefinition(type).GetMethods())
            {
                var method = reader.GetMethodDefinition(handle);
                if (method.RelativeVirtualAddress == 0
                    || image.GetMethodBody(method.RelativeVirtualAddress).GetILBytes() is not { } code)
                {
                    continue;
                }

                var counts = (Count(code, enters), Count(code, exits));
                if (counts is not (0, 0))
                {
                    var signature = Convert.ToHexString(reader.GetBlobBytes(method.Signature));
                    found.TryAdd($"{NameOf(reader, type)}.{reader.GetString(method.Name)} {signature}", counts);
                }
            }
        }

        return found;
    }

    // The tokens under which an assembly calls a method.
    private static List<int> Calls(MetadataReader reader, string type, string name)
    {
        var tokens = new List<int>();
        foreach (var handle in reader.MemberReferences)
        {
            var member = reader.GetMemberReference(handle);
            if (member.Parent.Kind == HandleKind.TypeReference && reader.GetString(member.Name) == name
                && NameOf(reader, (TypeReferenceHandle)member.Parent) == type)
            {
                tokens.Add(MetadataTokens.GetToken(handle));
            }
        }

        foreach (var handle in reader.MethodDefinitions)
        {
            var method = reader.GetMethodDefinition(handle);
            if (reader.GetString(method.Name) == name
                && NameOf(reader, method.GetDeclaringType()) == type)
            {
                tokens.Add(MetadataTokens.GetToken(handle));
            }
        }

        return tokens;
    }

    // Other bytes that look like a call with one of these tokens are not to be expected.
    private static int Count(byte[] code, HashSet<int> tokens)
    {
        var count = 0;
        for (var i = 0; i + TokenBytes < code.Length; i++)
        {
            count += code[i] == Call && tokens.Contains(BitConverter.ToInt32(code, i + 1)) ? 1 : 0;
        }

        return count;
    }

    private static string NameOf(MetadataReader reader, TypeReferenceHandle handle)
    {
        var type = reader.GetTypeReference(handle);
        var name = reader.GetString(type.Name);
        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? $"{NameOf(reader, (TypeReferenceHandle)type.ResolutionScope)}/{name}"
            : $"{reader.GetString(type.Namespace)}.{name}";
    }

    private static string NameOf(MetadataReader reader, TypeDefinitionHandle handle)
    {
        var type = reader.GetTypeDefinition(handle);
        var name = reader.GetString(type.Name);
        return type.GetDeclaringType() is { IsNil: false } outer
            ? $"{NameOf(reader, outer)}/{name}" : $"{reader.GetString(type.Namespace)}.{name}";
    }
}
