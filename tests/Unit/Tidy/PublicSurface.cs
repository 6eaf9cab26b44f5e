using System.Reflection;
using System.Text;

namespace Unit.Tidy;

/// <summary>What an assembly shows to others, as text: one line for each type and member, in order.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
        | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>The text for an assembly.</summary>
    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            text.Append(Kind(type)).Append(' ').Append(Name(type)).Append(Parents(type)).Append('\n');
            foreach (var line in Members(type).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            {
                text.Append("  ").Append(line).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Kind(Type type) => type switch
    {
        { IsEnum: true } => "enum",
        { IsInterface: true } => "interface",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsSealed: true } => "sealed class",
        { IsAbstract: true } => "abstract class",
        _ => "class",
    };

    private static string Parents(Type type)
    {
        var parent = type.BaseType is { } b && b != typeof(object) && !type.IsValueType ? Name(b) : null;
        return parent is null ? "" : $" : {parent}";
    }

    private static IEnumerable<string> Members(Type type)
    {
        foreach (var field in type.GetFields(Declared).Where(f => (f.IsPublic || f.IsFamily) && !f.IsSpecialName))
        {
            yield return field.IsLiteral
                ? $"const {field.Name} = {field.GetRawConstantValue() ?? "null"}"
                : $"{Name(field.FieldType)} {field.Name}";
        }

        foreach (var property in type.GetProperties(Declared).Where(IsSeen))
        {
            var access = $"{(property.CanRead ? " get;" : "")}{SetterOf(property)}";
            var index = Arguments(property.GetIndexParameters());
            yield return $"{Name(property.PropertyType)} {property.Name}{(index == "()" ? "" : index)} {{{access} }}";
        }

        foreach (var constructor in type.GetConstructors(Declared).Where(c => c.IsPublic || c.IsFamily))
        {
            yield return $"new{Arguments(constructor.GetParameters())}";
        }

        foreach (var method in type.GetMethods(Declared).Where(m => (m.IsPublic || m.IsFamily) && !IsOfEveryRecord(m)))
        {
            var fixedTo = method.IsStatic ? "static " : "";
            yield return $"{fixedTo}{Name(method.ReturnType)} {method.Name}{Arguments(method.GetParameters())}";
        }
    }

    // Records have these all alike, so they would only hide the rest.
    private static bool IsOfEveryRecord(MethodInfo method) => method.IsSpecialName
        || method.Name is "Equals" or "GetHashCode" or "ToString" or "Deconstruct" or "<Clone>$";

    private static string SetterOf(PropertyInfo property) => property.SetMethod switch
    {
        null or { IsPublic: false } => "",
        { } set when set.ReturnParameter.GetRequiredCustomModifiers().Length > 0 => " init;",
        _ => " set;",
    };

    private static bool IsSeen(PropertyInfo property) =>
        property.GetAccessors(nonPublic: true).Any(accessor => accessor.IsPublic || accessor.IsFamily);

    private static string Arguments(ParameterInfo[] parameters) => parameters.Length == 0
        ? "()" : $"({string.Join(", ", parameters.Select(p => $"{Name(p.ParameterType)} {p.Name}"))})";

    private static bool IsOfTheFramework(Type type) =>
        type.Namespace is { } space && space.StartsWith("System", StringComparison.Ordinal);

    private static string Name(Type type)
    {
        if (type.IsByRef)
        {
            return $"ref {Name(type.GetElementType()!)}";
        }

        if (type.IsArray)
        {
            return $"{Name(type.GetElementType()!)}[]";
        }

        if (type.IsGenericParameter || !type.IsGenericType)
        {
            return type.IsGenericParameter || IsOfTheFramework(type) ? type.Name : type.FullName!.Replace('+', '.');
        }

        var name = IsOfTheFramework(type) ? type.Name : $"{type.Namespace}.{type.Name}";
        return $"{name.Split('`')[0].Replace('+', '.')}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
