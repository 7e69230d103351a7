//! Values that JSON has as objects.

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Something that is read from an object only. What serde derives for a struct also reads a list of the values of its
/// members, which the JSON Schema does not say; where all of them may be `null`, that is easily taken for something
/// else.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

/// Reads two objects, if they are there.
pub(super) fn two_objects<'de, D, T>(deserializer: D) -> Result<Option<[T; 2]>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let found: Option<[Object<T>; 2]> = Deserialize::deserialize(deserializer)?;
    Ok(found.map(|two| two.map(|Object(one)| one)))
}

#[cfg(test)]
mod tests {
    use crate::question::Question;

    #[test]
    fn a_side_of_a_comparison_is_an_object() {
        let read = |sides: &str| serde_json::from_str::<Question>(&format!(r#"{{"health":{{"compare":{sides}}}}}"#));
        assert!(read(r#"[{"platform":"5.4"},{}]"#).is_ok());
        assert!(read("null").is_ok());
        for wrong in ["[[null,null],{}]", "[{}]", r#"[{},{"colour":"red"}]"#, r#"["5.4","5.5"]"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
