//! A TCP proxy that can cut, refuse and stall.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Open,
    Refusing,
    Silent,
}

/// What the connections see; a change of `generation` cuts those that exist.
#[derive(Debug, Clone, Copy)]
struct Weather {
    mode: Mode,
    generation: u64,
}

pub struct Proxy {
    pub port: u16,
    weather: watch::Sender<Weather>,
}

impl Proxy {
    pub async fn before(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let weather = watch::Sender::new(Weather { mode: Mode::Open, generation: 0 });
        let changes = weather.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let weather = changes.subscribe();
                if weather.borrow().mode != Mode::Refusing {
                    tokio::spawn(serve(client, target, weather));
                }
            }
        });
        Ok(Self { port, weather })
    }

    pub fn cut(&self) {
        self.weather.send_modify(|weather| weather.generation += 1);
    }

    pub fn refuse(&self) {
        self.weather.send_modify(|weather| {
            weather.mode = Mode::Refusing;
            weather.generation += 1;
        });
    }

    /// Connections stay open and nothing comes through.
    pub fn silence(&self) {
        self.weather.send_modify(|weather| weather.mode = Mode::Silent);
    }

    pub fn open(&self) {
        self.weather.send_modify(|weather| weather.mode = Mode::Open);
    }
}

async fn serve(mut client: TcpStream, target: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let (_, _) = (client.set_nodelay(true), server.set_nodelay(true));
    let born = weather.borrow().generation;
    let (mut up, mut down) = (vec![0; 16_384], vec![0; 16_384]);
    loop {
        let now = *weather.borrow_and_update();
        if now.generation != born {
            return;
        }
        let flowing = now.mode == Mode::Open;
        tokio::select! {
            changed = weather.changed() => if changed.is_err() { return },
            read = client.read(&mut up), if flowing => match read {
                Ok(bytes @ 1..) if server.write_all(&up[..bytes]).await.is_ok() => {}
                _ => return,
            },
            read = server.read(&mut down), if flowing => match read {
                Ok(bytes @ 1..) if client.write_all(&down[..bytes]).await.is_ok() => {}
                _ => return,
            },
        }
    }
}
