use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn codes_come_back(words in prop::collection::vec(prop_oneof![0..5_u32, 0..2000_u32, any::<u32>()], 1..700)) {
        let codes = Codes::of(&words);
        let read = Codes::read(&codes.write(), words.len()).unwrap();
        prop_assert_eq!(&codes, &read);
        for (call, word) in words.iter().enumerate() {
            prop_assert_eq!(read.word(call), *word);
        }
        let wanted = [words[0]];
        let mut marks = vec![false; words.len()];
        read.mark(&wanted, &mut marks);
        for (mark, word) in marks.iter().zip(&words) {
            prop_assert_eq!(*mark, *word == words[0]);
        }
    }

    #[test]
    fn numbers_come_back(numbers in prop::collection::vec(any::<i64>(), 0..500)) {
        prop_assert_eq!(take_numbers(&put_numbers(&numbers), numbers.len()).unwrap(), numbers);
    }

    #[test]
    fn ids_come_back(ids in prop::collection::vec(prop_oneof!["[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", ".{0,40}", "[0-9A-F-]{36}"], 1..100)) {
        let read = Ids::read(&put_ids(ids.iter().map(String::as_str)), ids.len()).unwrap();
        for (call, id) in ids.iter().enumerate() {
            prop_assert_eq!(&read.text(call), id);
            let asked = uuid(id).into_iter().collect();
            prop_assert_eq!(read.find_any(&asked).contains(&call), uuid(id).is_some());
        }
    }

    #[test]
    fn nothing_that_is_read_is_believed(bytes in prop::collection::vec(any::<u8>(), 0..300), calls in 0..200_usize) {
        let _ = Codes::read(&bytes, calls);
        let _ = take_numbers(&bytes, calls);
        let _ = Ids::read(&bytes, calls);
        prop_assert!(unpack(&bytes).is_err() || !bytes.is_empty());
    }
}

#[test]
fn every_changed_byte_of_a_frame_is_noticed() {
    let text = "the quick brown fox ".repeat(40);
    let frame = pack(text.as_bytes()).unwrap();
    assert_eq!(unpack(&frame).unwrap(), text.as_bytes());
    for at in 0..frame.len() {
        let mut changed = frame.clone();
        changed[at] ^= 0x10;
        let read = unpack(&changed);
        // A few bits of the header do not matter (how large a window is).
        assert!(read.as_ref().map_or(true, |read| read == text.as_bytes()), "byte {at}");
        let _ = unpack(&frame[..at]).unwrap_err();
    }
}
